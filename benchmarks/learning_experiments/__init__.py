"""What recurrent networks are said to learn, each claim put to the test in a file of its own."""

from learning_experiments.adding import ADDING
from learning_experiments.copying import COPY
from learning_experiments.ctc import CTC
from learning_experiments.exploding import EXPLODING
from learning_experiments.frame import Experiment
from learning_experiments.recall import RECALL
from learning_experiments.reversing import REVERSE
from learning_experiments.text import TEXT
from learning_experiments.truncation import TRUNCATION

EXPERIMENTS: dict[str, Experiment] = {
    one.name: one for one in (ADDING, COPY, RECALL, TEXT, REVERSE, CTC, EXPLODING, TRUNCATION)
}
