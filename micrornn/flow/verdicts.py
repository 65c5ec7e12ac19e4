"""The closed list of verdicts on a gradient."""

BACKWARD_NOT_RUN = "backward not run"
NO_PATH = "not on a path to the loss"
DETACHED = "detached here"
TRUNCATED = "outside the truncation window"
MASKED = "masked or padded"
ZERO = "multiplied by an exact zero"
SATURATED = "saturated"
CANCELLED = "cancelled"
SHRUNK = "shrunk hop by hop"
UNDERFLOWED = "underflowed"
GROWN = "grown hop by hop"
BORN = "NaN or inf born here"
CHANGED = "changed by hand"
FEW = "arrived from few uses"
HEALTHY = "arrived in full"

VERDICTS = (
    *(BACKWARD_NOT_RUN, NO_PATH, DETACHED, TRUNCATED, MASKED, ZERO, SATURATED),
    *(CANCELLED, SHRUNK, UNDERFLOWED, GROWN, BORN, CHANGED, FEW, HEALTHY),
)
