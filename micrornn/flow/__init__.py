"""Where the gradient goes: readers of one recording, live or loaded."""

from micrornn.flow.by_loss import LossLedger, ledger_by_loss
from micrornn.flow.credit import CreditMap, credit
from micrornn.flow.ledger import Ledger, Use, ledger, ledgers

__all__ = [
    "CreditMap",
    "Ledger",
    "LossLedger",
    "Use",
    "credit",
    "ledger",
    "ledger_by_loss",
    "ledgers",
]
