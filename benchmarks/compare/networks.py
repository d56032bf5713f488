"""The network without a fault, in each notation."""

ARCH = """\
input 3x224x224
classes = 10
conv1: CONV(64, 7, stride=2) - bn1: BN - RELU
POOL(3, stride=2, padding=1)
conv2: CONV(128, 3, stride=2) - bn2: BN - relu2: RELU
ADD{ conv3: CONV(128, 3) - bn3: BN | @relu2 }
conv4: CONV(256, 3, stride=2, groups=4) - RELU
GAP - DROPOUT(0.5)
fc: FC(classes)
assert output == 10
"""

TORCH = """\
classes = 10
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(64, 128, 3, stride=2, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(128)
        self.conv3 = nn.Conv2d(128, 128, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(128)
        self.relu = nn.ReLU()
        self.conv4 = nn.Conv2d(128, 256, 3, stride=2, padding=1, groups=4)
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(256, classes)

    def forward(self, x):
        x = self.pool(self.relu(self.bn1(self.conv1(x))))
        x = self.relu(self.bn2(self.conv2(x)))
        x = self.bn3(self.conv3(x)) + x
        x = self.relu(self.conv4(x))
        x = self.gap(x).flatten(1)
        return self.fc(self.dropout(x))

size = (3, 224, 224)
"""

KERAS = """\
classes = 10
x = inputs = keras.Input((224, 224, 3))
x = layers.Conv2D(64, 7, strides=2, padding="same", use_bias=False, name="conv1")(x)
x = layers.BatchNormalization(name="bn1")(x)
x = layers.ReLU()(x)
x = layers.ZeroPadding2D(1)(x)
x = layers.MaxPooling2D(3, strides=2)(x)
x = layers.Conv2D(128, 3, strides=2, padding="same", use_bias=False, name="conv2")(x)
x = layers.BatchNormalization(name="bn2")(x)
x = relu2 = layers.ReLU()(x)
x = layers.Conv2D(128, 3, padding="same", use_bias=False, name="conv3")(x)
x = layers.BatchNormalization(name="bn3")(x)
x = layers.Add()([x, relu2])
x = layers.Conv2D(256, 3, strides=2, padding="same", groups=4, name="conv4")(x)
x = layers.ReLU()(x)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dropout(0.5)(x)
x = layers.Dense(classes, name="fc")(x)
model = keras.Model(inputs, x)
"""

YAML = """\
nc: 10
backbone:
  - [-1, 1, Conv, [64, 7, 2]]
  - [-1, 1, nn.MaxPool2d, [3, 2, 1]]
  - [-1, 1, Conv, [128, 3, 2]]
  - [-1, 1, Conv, [128, 3]]
  - [[-1, 2], 1, Concat, [1]]
  - [-1, 1, Conv, [256, 3, 2, null, 4]]
head:
  - [-1, 1, Classify, [nc]]
"""
