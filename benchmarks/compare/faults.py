"""The slips: for each notation what stands there and what is written instead; None where it cannot be written."""

from __future__ import annotations

from typing import NamedTuple, Optional

Slip = Optional[tuple[str, str]]


class Fault(NamedTuple):
    """One slip in four notations."""

    name: str
    arch: Slip
    torch: Slip
    keras: Slip
    yaml: Slip


FAULTS = (
    Fault(
        "typo in a layer",
        ("- RELU\nGAP", "- REUL\nGAP"),
        ("nn.ReLU", "nn.Relu"),
        ("layers.ReLU()(x)\nx = layers.Glo", "layers.Relu()(x)\nx = layers.Glo"),
        ("[-1, 1, Conv, [128, 3]]", "[-1, 1, Cnov, [128, 3]]"),
    ),
    Fault(
        "typo in an argument",
        ("7, stride=2", "7, strid=2"),
        ("7, stride=2", "7, strid=2"),
        ("7, strides=2", "7, stride=2"),
        None,
    ),
    Fault(
        "typo in a constant",
        ("FC(classes)", "FC(clases)"),
        ("256, classes", "256, clases"),
        ("Dense(classes", "Dense(clases"),
        ("[nc]", "[cn]"),
    ),
    Fault(
        "typo in a reference",
        ("@relu2", "@rleu2"),
        ("self.conv3(x)", "self.cnov3(x)"),
        ("[x, relu2]", "[x, rleu2]"),
        ("[[-1, 2]", "[[-1, 22]"),
    ),
    Fault(
        "bracket dropped",
        ("CONV(64, 7, stride=2)", "CONV(64, 7, stride=2"),
        ("nn.BatchNorm2d(64)", "nn.BatchNorm2d(64"),
        ('name="conv1")(x)', 'name="conv1"(x)'),
        ("[64, 7, 2]]", "[64, 7, 2]"),
    ),
    Fault(
        "comma dropped",
        ("CONV(64, 7", "CONV(64 7"),
        ("(3, 64, 7", "(3, 64 7"),
        ("(64, 7", "(64 7"),
        ("[64, 7, 2]", "[64 7, 2]"),
    ),
    Fault(
        "step's mark dropped",
        ("bn1: BN - RELU", "bn1: BN RELU"),
        None,
        ('name="bn1")(x)', 'name="bn1")'),
        ("  - [-1, 1, Conv, [128, 3]]", "  [-1, 1, Conv, [128, 3]]"),
    ),
    Fault(
        "number in quotes",
        ("CONV(256", 'CONV("256"'),
        ("(128, 256", '(128, "256"'),
        ("(256, 3", '("256", 3'),
        ("[256, 3", '["256", 3'),
    ),
    Fault(
        "number with a fraction",
        ("CONV(256", "CONV(25.6"),
        ("(128, 256", "(128, 25.6"),
        ("(256, 3", "(25.6, 3"),
        ("[256, 3", "[25.6, 3"),
    ),
    Fault(
        "stride 0",
        ("(256, 3, stride=2", "(256, 3, stride=0"),
        ("256, 3, stride=2", "256, 3, stride=0"),
        ("(256, 3, strides=2", "(256, 3, strides=0"),
        ("[256, 3, 2,", "[256, 3, 0,"),
    ),
    Fault(
        "widths differ at a join",
        ("CONV(128, 3) - bn3", "CONV(182, 3) - bn3"),
        ("(128, 128, 3", "(128, 182, 3"),
        ('(128, 3, padding="same"', '(182, 3, padding="same"'),
        None,
    ),
    Fault(
        "stride at a join",
        ("CONV(128, 3) - bn3", "CONV(128, 3, 2) - bn3"),
        ("128, 128, 3,", "128, 128, 3, 2,"),
        ('(128, 3, padding="same"', '(128, 3, 2, padding="same"'),
        ("[128, 3]]", "[128, 3, 2]]"),
    ),
    Fault(
        "even kernel at a join",
        ("CONV(128, 3) - bn3", "CONV(128, 4) - bn3"),
        ("(128, 128, 3", "(128, 128, 4"),
        ('(128, 3, padding="same"', '(128, 4, padding="same"'),
        ("[128, 3]]", "[128, 4]]"),
    ),
    Fault(
        "groups that do not divide",
        ("groups=4", "groups=5"),
        ("groups=4", "groups=5"),
        ("groups=4", "groups=5"),
        ("null, 4]", "null, 5]"),
    ),
    Fault(
        "padding forgotten: a row is lost",
        ("stride=2, padding=1)\nconv2", "stride=2)\nconv2"),
        ("MaxPool2d(3, stride=2, padding=1)", "MaxPool2d(3, stride=2)"),
        ("ZeroPadding2D(1)", "ZeroPadding2D(0)"),
        ("[3, 2, 1]", "[3, 2, 0]"),
    ),
    Fault(
        "padding above half the window",
        ("stride=2, padding=1)\nconv2", "stride=2, padding=2)\nconv2"),
        ("MaxPool2d(3, stride=2, padding=1)", "MaxPool2d(3, stride=2, padding=2)"),
        None,
        ("[3, 2, 1]", "[3, 2, 2]"),
    ),
    Fault(
        "channels last, or first",
        ("3x224x224", "224x224x3"),
        ("(3, 224, 224)", "(224, 224, 3)"),
        ("(224, 224, 3)", "(3, 224, 224)"),
        None,
    ),
    Fault(
        "an axis missing from the input",
        ("3x224x224", "224x224"),
        ("(3, 224, 224)", "(224, 224)"),
        ("(224, 224, 3)", "(224, 224)"),
        None,
    ),
    Fault(
        "layers exchanged: FC before pooling",
        ("GAP - DROPOUT(0.5)\nfc: FC(classes)", "fc: FC(classes)\nGAP - DROPOUT(0.5)"),
        (
            "self.gap(x).flatten(1)\n        return self.fc(self.dropout(x))",
            "self.fc(x)\n        return self.dropout(self.gap(x).flatten(1))",
        ),
        (
            'layers.GlobalAveragePooling2D()(x)\nx = layers.Dropout(0.5)(x)\nx = layers.Dense(classes, name="fc")(x)',
            'layers.Dense(classes, name="fc")(x)\nx = layers.Dropout(0.5)(x)\nx = layers.GlobalAveragePooling2D()(x)',
        ),
        None,
    ),
    Fault(
        "pooling forgotten before the FC",
        ("GAP - DROPOUT", "DROPOUT"),
        ("self.gap(x).flatten(1)", "x.flatten(1)"),
        ("x = layers.GlobalAveragePooling2D()(x)\n", ""),
        None,
    ),
    Fault("arm of a join dropped", (" | @relu2", ""), None, ("[x, relu2]", "[x]"), ("[[-1, 2]", "[[-1]")),
    Fault(
        "two steps of one name",
        ("conv2:", "conv1:"),
        ("self.conv2 = ", "self.conv1 = "),
        ('name="conv2"', 'name="conv1"'),
        None,
    ),
    Fault(
        "classes miscounted",
        ("classes = 10", "classes = 100"),
        ("classes = 10", "classes = 100"),
        ("classes = 10", "classes = 100"),
        ("nc: 10", "nc: 100"),
    ),
    Fault(
        "width miscounted where BN follows",
        ("CONV(64, 7", "CONV(46, 7"),
        ("(3, 64, 7", "(3, 46, 7"),
        ("(64, 7", "(46, 7"),
        ("[64, 7", "[46, 7"),
    ),
    Fault(
        "argument too many",
        ("bn1: BN", "bn1: BN(64)"),
        ("nn.ReLU()", "nn.ReLU(True, 1)"),
        ("layers.Add()", "layers.Add(1)"),
        ("[3, 2, 1]]", "[3, 2, 1, 1, 0, 0, 0]]"),
    ),
    Fault(
        "rate above 1",
        ("DROPOUT(0.5)", "DROPOUT(5)"),
        ("Dropout(0.5)", "Dropout(5)"),
        ("Dropout(0.5)", "Dropout(5)"),
        None,
    ),
)
