"""The few FHIR elements that matter, as lean structs that msgspec decodes straight from bytes.

Numbers stay raw text until they are needed, so that no decimal passes through binary floating point and a string in a number's place is
seen. Unknown elements are ignored. Beside R4 the structs take the STU3 dosage shape and R5's CodeableReference.
"""

from __future__ import annotations

from typing import Union

import msgspec
from msgspec import Raw, Struct

EMPTY = Raw(b"")


class Shape(Struct, gc=False, kw_only=True):
    """The common parent of all shapes."""


class Coding(Shape):
    system: str = ""
    code: str = ""
    display: str = ""


class CodeableConcept(Shape):
    coding: list[Coding] = []
    text: str = ""


class Identifier(Shape):
    system: str = ""
    value: str = ""


class Reference(Shape):
    reference: str = ""
    display: str = ""
    type: str = ""
    identifier: Identifier | None = None


class CodeableReference(Shape):
    concept: CodeableConcept | None = None
    reference: Reference | None = None


class Coded(CodeableConcept):
    """A CodeableConcept in R4, a CodeableReference in R5."""

    concept: CodeableConcept | None = None


class Quantity(Shape):
    value: Raw = EMPTY
    comparator: str = ""
    unit: str = ""
    system: str = ""
    code: str = ""


class Range(Shape):
    low: Quantity | None = None
    high: Quantity | None = None


class Ratio(Shape):
    numerator: Quantity | None = None
    denominator: Quantity | None = None


class Period(Shape):
    start: str = ""
    end: str = ""


class Extension(Shape):
    url: str = ""
    valueQuantity: Quantity | None = None
    valueCode: str = ""
    valueCodeableConcept: CodeableConcept | None = None
    valueString: str = ""
    extension: list[Extension] = []


class Repeat(Shape):
    boundsDuration: Quantity | None = None
    boundsPeriod: Period | None = None
    boundsRange: Range | None = None
    count: Raw = EMPTY
    countMax: Raw = EMPTY
    duration: Raw = EMPTY
    durationMax: Raw = EMPTY
    durationUnit: str = ""
    frequency: Raw = EMPTY
    frequencyMax: Raw = EMPTY
    period: Raw = EMPTY
    periodMax: Raw = EMPTY
    periodUnit: str = ""
    dayOfWeek: list[str] = []


class Timing(Shape):
    event: list[str] = []
    repeat: Repeat | None = None
    code: CodeableConcept | None = None


class DoseAndRate(Shape):
    type: CodeableConcept | None = None
    doseQuantity: Quantity | None = None
    doseRange: Range | None = None
    rateQuantity: Quantity | None = None
    rateRatio: Ratio | None = None
    rateRange: Range | None = None


class Dosage(Shape):
    sequence: Raw = EMPTY
    text: str = ""
    patientInstruction: str = ""
    additionalInstruction: list[CodeableConcept] = []
    timing: Timing | None = None
    asNeededBoolean: bool = False
    asNeeded: bool = False
    asNeededCodeableConcept: CodeableConcept | None = None
    site: CodeableConcept | None = None
    route: CodeableConcept | None = None
    doseAndRate: list[DoseAndRate] | DoseAndRate | None = None
    maxDosePerPeriod: list[Ratio] | Ratio | None = None
    maxDosePerAdministration: Quantity | None = None
    modifierExtension: list[Extension] = []
    # the STU3 shape
    doseQuantity: Quantity | None = None
    doseRange: Range | None = None
    rateQuantity: Quantity | None = None
    rateRatio: Ratio | None = None
    rateRange: Range | None = None
    # MedicationAdministration.dosage
    dose: Quantity | None = None


class Resource(Shape, tag_field="resourceType"):
    """What every resource may carry."""

    id: str = ""
    implicitRules: str = ""
    modifierExtension: list[Extension] = []


class Patient(Resource):
    birthDate: str = ""
    gender: str = ""
    deceasedBoolean: bool = False
    deceasedDateTime: str = ""


class Ingredient(Shape):
    itemCodeableConcept: CodeableConcept | None = None
    itemReference: Reference | None = None
    item: CodeableReference | None = None
    strength: Ratio | None = None
    strengthRatio: Ratio | None = None


class Medication(Resource):
    code: CodeableConcept | None = None
    form: CodeableConcept | None = None
    ingredient: list[Ingredient] = []
    amount: Ratio | None = None


class Contained(Shape):
    """A contained Medication or Condition; which of the two its type tells."""

    resourceType: str = ""
    id: str = ""
    code: CodeableConcept | None = None
    ingredient: list[Ingredient] = []
    clinicalStatus: CodeableConcept | str | None = None
    verificationStatus: CodeableConcept | str | None = None
    onsetDateTime: str = ""
    recordedDate: str = ""


class Dispense(Shape):
    quantity: Quantity | None = None
    numberOfRepeatsAllowed: Raw = EMPTY
    expectedSupplyDuration: Quantity | None = None


class MedicationRequest(Resource):
    contained: list[Contained] = []
    extension: list[Extension] = []
    identifier: list[Identifier] = []
    status: str = ""
    intent: str = ""
    category: list[CodeableConcept] | CodeableConcept | None = None
    doNotPerform: bool = False
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    medication: CodeableReference | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    authoredOn: str = ""
    reasonCode: list[CodeableConcept] = []
    reasonReference: list[Reference] = []
    reason: list[CodeableReference] = []
    basedOn: list[Reference] = []
    groupIdentifier: Identifier | None = None
    priorPrescription: Reference | None = None
    note: list[Annotation] = []
    dosageInstruction: list[Dosage] | Dosage | None = None
    dispenseRequest: Dispense | None = None


class Annotation(Shape):
    text: str = ""


class Reported(Shape):
    low: Quantity | None = None
    high: Quantity | None = None


class Component(Shape):
    code: CodeableConcept | None = None
    valueQuantity: Quantity | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueString: str = ""
    dataAbsentReason: CodeableConcept | None = None


class Observation(Resource):
    status: str = ""
    code: CodeableConcept | None = None
    subject: Reference | None = None
    effectiveDateTime: str = ""
    effectiveInstant: str = ""
    effectivePeriod: Period | None = None
    issued: str = ""
    valueQuantity: Quantity | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueString: str = ""
    valueBoolean: bool | None = None
    valueInteger: Raw = EMPTY
    valueRange: Range | None = None
    valueDateTime: str = ""
    dataAbsentReason: CodeableConcept | None = None
    referenceRange: list[Reported] = []
    component: list[Component] = []


class Condition(Resource):
    clinicalStatus: CodeableConcept | str | None = None
    verificationStatus: CodeableConcept | str | None = None
    severity: CodeableConcept | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    onsetDateTime: str = ""
    onsetPeriod: Period | None = None
    recordedDate: str = ""
    assertedDate: str = ""
    abatementDateTime: str = ""
    abatementPeriod: Period | None = None
    abatementBoolean: bool = False


class Reaction(Shape):
    substance: CodeableConcept | None = None
    manifestation: list[Coded] = []
    severity: str = ""


class AllergyIntolerance(Resource):
    clinicalStatus: CodeableConcept | str | None = None
    verificationStatus: CodeableConcept | str | None = None
    code: CodeableConcept | None = None
    patient: Reference | None = None
    onsetDateTime: str = ""
    recordedDate: str = ""
    assertedDate: str = ""
    criticality: str = ""
    reaction: list[Reaction] = []


class Procedure(Resource):
    status: str = ""
    code: CodeableConcept | None = None
    category: list[CodeableConcept] | CodeableConcept | None = None
    subject: Reference | None = None
    performedDateTime: str = ""
    performedPeriod: Period | None = None
    occurrenceDateTime: str = ""
    occurrencePeriod: Period | None = None


class ServiceRequest(Resource):
    status: str = ""
    intent: str = ""
    doNotPerform: bool = False
    category: list[CodeableConcept] = []
    code: Coded | None = None
    subject: Reference | None = None
    authoredOn: str = ""
    occurrenceDateTime: str = ""
    occurrencePeriod: Period | None = None
    occurrenceTiming: Timing | None = None


class Participant(Shape):
    actor: Reference | None = None


class Appointment(Resource):
    status: str = ""
    serviceType: list[CodeableConcept] = []
    serviceCategory: list[CodeableConcept] = []
    reasonCode: list[CodeableConcept] = []
    description: str = ""
    start: str = ""
    created: str = ""
    participant: list[Participant] = []


class Immunization(Resource):
    status: str = ""
    vaccineCode: CodeableConcept | None = None
    patient: Reference | None = None
    occurrenceDateTime: str = ""
    doseQuantity: Quantity | None = None


class DateCriterion(Shape):
    code: CodeableConcept | None = None
    value: str = ""


class Recommended(Shape):
    vaccineCode: list[CodeableConcept] | CodeableConcept | None = None
    forecastStatus: CodeableConcept | None = None
    dateCriterion: list[DateCriterion] = []


class ImmunizationRecommendation(Resource):
    patient: Reference | None = None
    date: str = ""
    recommendation: list[Recommended] = []


class MedicationAdministration(Resource):
    contained: list[Contained] = []
    status: str = ""
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    medication: CodeableReference | None = None
    subject: Reference | None = None
    effectiveDateTime: str = ""
    effectivePeriod: Period | None = None
    occurenceDateTime: str = ""
    reasonCode: list[CodeableConcept] = []
    reasonReference: list[Reference] = []
    request: Reference | None = None
    dosage: Dosage | None = None


class MedicationDispense(Resource):
    contained: list[Contained] = []
    status: str = ""
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    medication: CodeableReference | None = None
    subject: Reference | None = None
    quantity: Quantity | None = None
    daysSupply: Quantity | None = None
    whenPrepared: str = ""
    whenHandedOver: str = ""
    authorizingPrescription: list[Reference] = []


class MedicationStatement(Resource):
    contained: list[Contained] = []
    status: str = ""
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    medication: CodeableReference | None = None
    subject: Reference | None = None
    effectiveDateTime: str = ""
    effectivePeriod: Period | None = None
    dateAsserted: str = ""
    reasonCode: list[CodeableConcept] = []
    dosage: list[Dosage] | Dosage | None = None


class EncounterClass(Shape):
    code: str = ""
    system: str = ""
    coding: list[Coding] = []


class Encounter(Resource, rename={"class_": "class"}):
    status: str = ""
    subject: Reference | None = None
    class_: list[EncounterClass] | EncounterClass | None = None
    period: Period | None = None


class List(Resource):
    status: str = ""
    code: CodeableConcept | None = None
    subject: Reference | None = None
    emptyReason: CodeableConcept | None = None


class Issue(Shape):
    severity: str = ""
    code: str = ""


class OperationOutcome(Resource):
    issue: list[Issue] = []


class Link(Shape):
    relation: str = ""
    url: str = ""


KNOWN: tuple[type[Resource], ...] = (
    Patient, Medication, MedicationRequest, Observation, Condition, AllergyIntolerance, Procedure, ServiceRequest, Appointment,
    Immunization, ImmunizationRecommendation, MedicationAdministration, MedicationDispense, MedicationStatement, Encounter,
    List, OperationOutcome,
)  # fmt: skip

# Every other resource type of R4, R4B and R5: decoded to nothing but its id. A type that is not here sends the bundle
# down the tolerant path.
_OTHER = tuple(
    """
Account ActivityDefinition ActorDefinition AdministrableProductDefinition AdverseEvent AppointmentResponse
ArtifactAssessment AuditEvent Basic Binary BiologicallyDerivedProduct BiologicallyDerivedProductDispense
BodyStructure CapabilityStatement CarePlan CareTeam CatalogEntry ChargeItem ChargeItemDefinition Citation Claim
ClaimResponse ClinicalImpression ClinicalUseDefinition CodeSystem Communication CommunicationRequest
CompartmentDefinition Composition ConceptMap ConditionDefinition Consent Contract Coverage
CoverageEligibilityRequest CoverageEligibilityResponse DetectedIssue Device DeviceAssociation DeviceDefinition
DeviceDispense DeviceMetric DeviceRequest DeviceUsage DeviceUseStatement DiagnosticReport DocumentManifest
DocumentReference EffectEvidenceSynthesis EncounterHistory Endpoint EnrollmentRequest EnrollmentResponse
EpisodeOfCare EventDefinition Evidence EvidenceReport EvidenceVariable ExampleScenario ExplanationOfBenefit
FamilyMemberHistory Flag FormularyItem GenomicStudy Goal GraphDefinition Group GuidanceResponse HealthcareService
ImagingSelection ImagingStudy ImmunizationEvaluation ImplementationGuide
IngredientDefinition InsurancePlan InventoryItem InventoryReport Invoice Library Linkage Location
ManufacturedItemDefinition Measure MeasureReport Media MedicationKnowledge MedicinalProduct
MedicinalProductAuthorization MedicinalProductContraindication MedicinalProductDefinition MedicinalProductIndication
MedicinalProductIngredient MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged
MedicinalProductPharmaceutical MedicinalProductUndesirableEffect MessageDefinition MessageHeader MolecularSequence
NamingSystem NutritionIntake NutritionOrder NutritionProduct ObservationDefinition OperationDefinition
Organization OrganizationAffiliation PackagedProductDefinition PaymentNotice PaymentReconciliation
Permission Person PlanDefinition Practitioner PractitionerRole Provenance Questionnaire QuestionnaireResponse
RegulatedAuthorization RelatedPerson RequestGroup RequestOrchestration Requirements ResearchDefinition
ResearchElementDefinition ResearchStudy ResearchSubject RiskAssessment RiskEvidenceSynthesis Schedule
SearchParameter Slot Specimen SpecimenDefinition StructureDefinition StructureMap Subscription SubscriptionStatus
SubscriptionTopic Substance SubstanceDefinition SubstanceNucleicAcid SubstancePolymer SubstanceProtein
SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification SupplyDelivery SupplyRequest Task
TerminologyCapabilities TestPlan TestReport TestScript Transport ValueSet VerificationResult VisionPrescription
""".split()  # noqa: SIM905  (a list of 190 lines would say no more)
)

OTHERS: tuple[type[Resource], ...] = tuple(
    msgspec.defstruct(name, [], bases=(Resource,), tag=name, gc=False)  # type: ignore[misc]
    for name in _OTHER
)
BY_TYPE: dict[str, type[Resource]] = {t.__name__: t for t in KNOWN}
TYPES = frozenset(BY_TYPE) | frozenset(_OTHER) | {"Bundle", "Parameters"}

Any = Union[KNOWN + OTHERS]  # type: ignore[valid-type]  # noqa: UP007


class InnermostEntry(Shape):
    fullUrl: str = ""
    resource: Any | None = None  # type: ignore[valid-type]


class InnermostBundle(Resource, tag="Bundle"):
    """A Bundle in a Bundle that itself came in Parameters."""

    type: str = ""
    total: Raw = EMPTY
    link: list[Link] = []
    entry: list[InnermostEntry] = []


Innermost = Union[KNOWN + OTHERS + (InnermostBundle,)]  # type: ignore[valid-type]  # noqa: UP007


class InnerEntry(Shape):
    fullUrl: str = ""
    resource: Innermost | None = None  # type: ignore[valid-type]


class InnerBundle(Resource, tag="Bundle"):
    """A Bundle inside a Bundle or a Parameters: a searchset that a client lays in as evidence, or the bundle of Parameters."""

    type: str = ""
    total: Raw = EMPTY
    link: list[Link] = []
    entry: list[InnerEntry] = []


AnyOrBundle = Union[KNOWN + OTHERS + (InnerBundle,)]  # type: ignore[valid-type]  # noqa: UP007


class Entry(Shape):
    fullUrl: str = ""
    resource: AnyOrBundle | None = None  # type: ignore[valid-type]


class Bundle(Resource):
    type: str = ""
    link: list[Link] = []
    entry: list[Entry] = []


class Parameter(Shape):
    name: str = ""
    resource: AnyOrBundle | None = None  # type: ignore[valid-type]
    valueDate: str = ""
    valueDateTime: str = ""
    valueInstant: str = ""
    valueString: str = ""
    valueCode: str = ""
    valueUri: str = ""
    valueCanonical: str = ""


class Parameters(Resource):
    parameter: list[Parameter] = []


Body = Union[Bundle, Parameters]  # noqa: UP007
