"""Rules about the dose: is it there, can it be right, does it fit the indication, the chart and the vials."""
