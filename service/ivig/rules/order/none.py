"""No immune globulin order among what was sent.

What it checks    Whether any order of immune globulin was there to be judged.
Why it matters    An answer without findings must not be taken for a check of an order that was never seen.
Example           A bundle whose only immune globulin order is cancelled, or says `doNotPerform`, or is the child of
                  another order.
Does not cover    An order whose medication is missing (order-medication-missing).
"""

from ivig.core.rule import note

# Raised by the validator: there is no order that the judge could be asked about.
rule = note("order-none", says="No immune globulin order to judge among what was sent")
