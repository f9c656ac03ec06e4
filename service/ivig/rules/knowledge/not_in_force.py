"""No value in force on the day of judgement.

What it checks    Whether the pages and the policy have a value for the day wherever a rule asks for one.
Why it matters    History is judged by the knowledge of its own day; a value is never used before its first day.
Example           An order of 2003 judged by a rule whose limit is known from 2009 on.
Does not cover    A value whose first day is not known: it holds until a dated one replaces it.
"""

from ivig.core.finding import INFORMATION
from ivig.core.rule import root

# Raised by the judge, with the key that had no value.
rule = root(
    "knowledge-not-in-force",
    INFORMATION,
    says="No value in force on that day for {what}",
    consider="Consider judging by the knowledge of a later day.",
)
