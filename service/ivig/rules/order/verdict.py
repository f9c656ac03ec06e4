"""The verdict of an order, and what it rests on.

What it checks    Nothing itself: it tells the worst of all findings (stop, cannot tell, advise, clear), how many
                  rules were asked, and which of them could not be judged for want of data.
Why it matters    A clear order has to be told from one that was not looked at.
Example           An order without weight: cannot tell; not checked: every rule on dose per kilogram.
Does not cover    Rules that are not concerned; they are neither counted as found nor as unchecked.
"""

from ivig.core.rule import note

# Made by the judge, once for each order it judges.
rule = note("order-verdict", says="Nothing found by {checked} rules")
