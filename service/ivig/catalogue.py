"""The rules in reading order, one line each.

Whoever writes a family adds its imports (sorted by family) and its lines at the family's place in the tuple.
"""

from __future__ import annotations

from types import ModuleType

from ivig.rules.adjunct import aspirin_missing as adjunct_aspirin_missing
from ivig.rules.adjunct import haemoglobin_check_missing as adjunct_haemoglobin_check_missing
from ivig.rules.adjunct import premedication_missing as adjunct_premedication_missing
from ivig.rules.adjunct import respiratory_monitoring_missing as adjunct_respiratory_monitoring_missing
from ivig.rules.chart import age_unknown as chart_age_unknown
from ivig.rules.chart import evidence_later as chart_evidence_later
from ivig.rules.chart import section_missing as chart_section_missing
from ivig.rules.chart import sex_unknown as chart_sex_unknown
from ivig.rules.chart import unavailable as chart_unavailable
from ivig.rules.course import first_infusion_at_home as course_first_infusion_at_home
from ivig.rules.course import igg_trough as course_igg_trough
from ivig.rules.course import repeat_too_soon as course_repeat_too_soon
from ivig.rules.course import response_absent as course_response_absent
from ivig.rules.course import response_undocumented as course_response_undocumented
from ivig.rules.course import second_in_gbs as course_second_in_gbs
from ivig.rules.course import taper_due as course_taper_due
from ivig.rules.course import with_plasma_exchange as course_with_plasma_exchange
from ivig.rules.dose import course_above_range as dose_course_above_range
from ivig.rules.dose import course_below_range as dose_course_below_range
from ivig.rules.dose import cumulative_above_limit as dose_cumulative_above_limit
from ivig.rules.dose import daily_above_range as dose_daily_above_range
from ivig.rules.dose import implausible as dose_implausible
from ivig.rules.dose import missing as dose_missing
from ivig.rules.dose import not_whole_vials as dose_not_whole_vials
from ivig.rules.dose import total_mismatch as dose_total_mismatch
from ivig.rules.dose import unit_unusable as dose_unit_unusable
from ivig.rules.indication import criteria_unknown as indication_criteria_unknown
from ivig.rules.indication import criteria_unmet as indication_criteria_unmet
from ivig.rules.indication import inferred as indication_inferred
from ivig.rules.indication import missing as indication_missing
from ivig.rules.indication import not_recommended as indication_not_recommended
from ivig.rules.indication import not_routine as indication_not_routine
from ivig.rules.indication import off_label as indication_off_label
from ivig.rules.indication import unrecognised as indication_unrecognised
from ivig.rules.interaction import c5_inhibitor as interaction_c5_inhibitor
from ivig.rules.interaction import fcrn_blocker as interaction_fcrn_blocker
from ivig.rules.interaction import live_vaccine as interaction_live_vaccine
from ivig.rules.interaction import nephrotoxin as interaction_nephrotoxin
from ivig.rules.interaction import steroid_in_mmn as interaction_steroid_in_mmn
from ivig.rules.knowledge import not_in_force as knowledge_not_in_force
from ivig.rules.lab import blood_group_unknown as lab_blood_group_unknown
from ivig.rules.lab import iga_unknown as lab_iga_unknown
from ivig.rules.lab import missing as lab_missing
from ivig.rules.lab import serology_before_first as lab_serology_before_first
from ivig.rules.lab import stale as lab_stale
from ivig.rules.order import duplicate as order_duplicate
from ivig.rules.order import iv_sc_switch as order_iv_sc_switch
from ivig.rules.order import medication_missing as order_medication_missing
from ivig.rules.order import modifier_unknown as order_modifier_unknown
from ivig.rules.order import none as order_none
from ivig.rules.order import out_of_scope as order_out_of_scope
from ivig.rules.order import patient_deceased as order_patient_deceased
from ivig.rules.order import patient_mismatch as order_patient_mismatch
from ivig.rules.order import route_missing as order_route_missing
from ivig.rules.order import shape_repaired as order_shape_repaired
from ivig.rules.order import text_contradicts as order_text_contradicts
from ivig.rules.order import verdict as order_verdict
from ivig.rules.product import age_below_label as product_age_below_label
from ivig.rules.product import contraindicated as product_contraindicated
from ivig.rules.product import discontinued as product_discontinued
from ivig.rules.product import iga_content as product_iga_content
from ivig.rules.product import inferred_from_text as product_inferred_from_text
from ivig.rules.product import maltose_glucose_meter as product_maltose_glucose_meter
from ivig.rules.product import not_for_route as product_not_for_route
from ivig.rules.product import not_polyvalent as product_not_polyvalent
from ivig.rules.product import sucrose_renal_risk as product_sucrose_renal_risk
from ivig.rules.product import switch as product_switch
from ivig.rules.product import unspecified as product_unspecified
from ivig.rules.rate import above_at_risk_ceiling as rate_above_at_risk_ceiling
from ivig.rules.rate import above_initial as rate_above_initial
from ivig.rules.rate import above_label as rate_above_label
from ivig.rules.rate import duration_mismatch as rate_duration_mismatch
from ivig.rules.rate import missing as rate_missing
from ivig.rules.risk import aseptic_meningitis as risk_aseptic_meningitis
from ivig.rules.risk import haemolysis as risk_haemolysis
from ivig.rules.risk import hypersensitivity as risk_hypersensitivity
from ivig.rules.risk import hyperviscosity as risk_hyperviscosity
from ivig.rules.risk import pregnancy as risk_pregnancy
from ivig.rules.risk import renal as risk_renal
from ivig.rules.risk import thrombosis as risk_thrombosis
from ivig.rules.risk import volume_overload as risk_volume_overload
from ivig.rules.schedule import days_off_regimen as schedule_days_off_regimen
from ivig.rules.schedule import interval_too_long as schedule_interval_too_long
from ivig.rules.schedule import interval_too_short as schedule_interval_too_short
from ivig.rules.schedule import missing as schedule_missing
from ivig.rules.weight import amputation as weight_amputation
from ivig.rules.weight import basis_unstated as weight_basis_unstated
from ivig.rules.weight import fluid_overloaded as weight_fluid_overloaded
from ivig.rules.weight import height_implausible as weight_height_implausible
from ivig.rules.weight import height_missing as weight_height_missing
from ivig.rules.weight import implausible as weight_implausible
from ivig.rules.weight import missing as weight_missing
from ivig.rules.weight import stale as weight_stale
from ivig.rules.weight import wrong_basis as weight_wrong_basis

RULES: tuple[ModuleType, ...] = (
    # order
    order_verdict,
    order_none,
    order_medication_missing,
    order_out_of_scope,
    order_patient_mismatch,
    order_patient_deceased,
    order_duplicate,
    order_shape_repaired,
    order_text_contradicts,
    order_modifier_unknown,
    order_route_missing,
    order_iv_sc_switch,
    # chart
    chart_section_missing,
    chart_unavailable,
    chart_evidence_later,
    chart_age_unknown,
    chart_sex_unknown,
    knowledge_not_in_force,
    # indication
    indication_missing,
    indication_inferred,
    indication_unrecognised,
    indication_not_routine,
    indication_not_recommended,
    indication_criteria_unmet,
    indication_criteria_unknown,
    indication_off_label,
    # weight
    weight_missing,
    weight_stale,
    weight_implausible,
    weight_height_implausible,
    weight_height_missing,
    weight_wrong_basis,
    weight_basis_unstated,
    weight_fluid_overloaded,
    weight_amputation,
    # dose
    dose_missing,
    dose_unit_unusable,
    dose_implausible,
    dose_course_above_range,
    dose_daily_above_range,
    dose_course_below_range,
    dose_cumulative_above_limit,
    dose_total_mismatch,
    dose_not_whole_vials,
    # schedule
    schedule_missing,
    schedule_days_off_regimen,
    schedule_interval_too_short,
    schedule_interval_too_long,
    # product
    product_unspecified,
    product_inferred_from_text,
    product_not_for_route,
    product_not_polyvalent,
    product_contraindicated,
    product_sucrose_renal_risk,
    product_iga_content,
    product_maltose_glucose_meter,
    product_age_below_label,
    product_discontinued,
    product_switch,
    # rate
    rate_missing,
    rate_above_label,
    rate_above_at_risk_ceiling,
    rate_above_initial,
    rate_duration_mismatch,
    # lab
    lab_missing,
    lab_stale,
    lab_iga_unknown,
    lab_blood_group_unknown,
    lab_serology_before_first,
    # risk
    risk_thrombosis,
    risk_renal,
    risk_haemolysis,
    risk_hypersensitivity,
    risk_aseptic_meningitis,
    risk_volume_overload,
    risk_hyperviscosity,
    risk_pregnancy,
    # course
    course_with_plasma_exchange,
    course_second_in_gbs,
    course_repeat_too_soon,
    course_response_undocumented,
    course_response_absent,
    course_taper_due,
    course_igg_trough,
    course_first_infusion_at_home,
    # adjunct
    adjunct_aspirin_missing,
    adjunct_premedication_missing,
    adjunct_respiratory_monitoring_missing,
    adjunct_haemoglobin_check_missing,
    # interaction
    interaction_fcrn_blocker,
    interaction_c5_inhibitor,
    interaction_live_vaccine,
    interaction_nephrotoxin,
    interaction_steroid_in_mmn,
)
