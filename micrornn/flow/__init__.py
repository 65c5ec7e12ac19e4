"""Where the gradient goes: readers of one recording, live or loaded."""

from micrornn.flow.by_loss import LossLedger, ledger_by_loss
from micrornn.flow.credit import CreditMap, credit
from micrornn.flow.ledger import Ledger, Use, ledger, ledgers
from micrornn.flow.verdicts import VERDICTS
from micrornn.flow.why import Why, why

__all__ = [
    "VERDICTS",
    "CreditMap",
    "Ledger",
    "LossLedger",
    "Use",
    "Why",
    "credit",
    "ledger",
    "ledger_by_loss",
    "ledgers",
    "why",
]
