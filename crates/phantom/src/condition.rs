//! What a phantom can show.

use medclip_core::Finding;

/// Side of the patient; the patient's right is at the left of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The patient's right.
    Right,
    /// The patient's left.
    Left,
}

impl Side {
    /// Both sides.
    pub const BOTH: [Self; 2] = [Self::Right, Self::Left];

    /// −1 for the right (left half of the image), 1 for the left.
    pub(crate) const fn sign(self) -> f32 {
        match self {
            Self::Right => -1.0,
            Self::Left => 1.0,
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Left => "left",
        }
    }
}

/// Height within a lung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// Upper third.
    Upper,
    /// Around the hilum.
    Middle,
    /// Above the diaphragm.
    Lower,
}

impl Zone {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Upper => "upper",
            Self::Middle => "mid",
            Self::Lower => "lower",
        }
    }
}

/// How much of a condition there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Just visible.
    Mild,
    /// Plain.
    Moderate,
    /// As much as there can be.
    Severe,
}

impl Severity {
    /// 0, ½ or 1.
    pub(crate) const fn amount(self) -> f32 {
        match self {
            Self::Mild => 0.0,
            Self::Moderate => 0.5,
            Self::Severe => 1.0,
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Mild => "mild",
            Self::Moderate => "moderate",
            Self::Severe => "severe",
        }
    }

    pub(crate) const fn adverb(self) -> &'static str {
        match self {
            Self::Mild => "mildly",
            Self::Moderate => "moderately",
            Self::Severe => "severely",
        }
    }

    pub(crate) const fn size(self) -> &'static str {
        match self {
            Self::Mild => "small",
            Self::Moderate => "moderate",
            Self::Severe => "large",
        }
    }
}

/// Hardware in or on the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// Central venous catheter from the right, tip in the superior vena cava.
    CentralLine,
    /// Generator below the left clavicle with a lead to the right ventricle.
    Pacemaker,
    /// Tube in the trachea, tip above the carina.
    EndotrachealTube,
    /// Wires that closed a sternotomy.
    SternalWires,
}

/// One abnormality of a phantom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// Heart wider than half the chest.
    Cardiomegaly {
        /// Cardiothoracic ratio from about .55 (mild) to .68 (severe).
        severity: Severity,
    },
    /// Widened upper mediastinum.
    WideMediastinum,
    /// Fluid with a meniscus.
    PleuralEffusion {
        /// Where.
        side: Side,
        /// Blunted angle (mild) to half the chest (severe).
        severity: Severity,
    },
    /// Dense, nearly homogeneous opacity of a lobe.
    Consolidation {
        /// Where.
        side: Side,
        /// Where in the lung.
        zone: Zone,
    },
    /// Patchy opacity that the sentences call pneumonia.
    Pneumonia {
        /// Where.
        side: Side,
        /// Where in the lung.
        zone: Zone,
    },
    /// Faint hazy opacity without a named cause.
    Opacity {
        /// Where.
        side: Side,
        /// Where in the lung.
        zone: Zone,
    },
    /// Plate-like bands above a raised diaphragm.
    Atelectasis {
        /// Where.
        side: Side,
    },
    /// Air around a shrunken lung: a pleural line without markings beyond it.
    Pneumothorax {
        /// Where.
        side: Side,
        /// How far the lung has shrunk.
        severity: Severity,
    },
    /// Perihilar haze and full vessels on both sides.
    Edema {
        /// How dense.
        severity: Severity,
    },
    /// A round lesion.
    Nodule {
        /// Where.
        side: Side,
        /// Where in the lung.
        zone: Zone,
    },
    /// A rind along the lateral chest wall.
    PleuralThickening {
        /// Where.
        side: Side,
    },
    /// A displaced posterior rib.
    RibFracture {
        /// Where.
        side: Side,
    },
    /// Hardware.
    Device(Device),
}

impl Condition {
    /// The finding this condition is an instance of.
    pub const fn finding(self) -> Finding {
        match self {
            Self::Cardiomegaly { .. } => Finding::Cardiomegaly,
            Self::WideMediastinum => Finding::EnlargedCardiomediastinum,
            Self::PleuralEffusion { .. } => Finding::PleuralEffusion,
            Self::Consolidation { .. } => Finding::Consolidation,
            Self::Pneumonia { .. } => Finding::Pneumonia,
            Self::Opacity { .. } => Finding::LungOpacity,
            Self::Atelectasis { .. } => Finding::Atelectasis,
            Self::Pneumothorax { .. } => Finding::Pneumothorax,
            Self::Edema { .. } => Finding::Edema,
            Self::Nodule { .. } => Finding::LungLesion,
            Self::PleuralThickening { .. } => Finding::PleuralOther,
            Self::RibFracture { .. } => Finding::Fracture,
            Self::Device(_) => Finding::SupportDevices,
        }
    }

    /// The side it is on, if it has one.
    pub(crate) const fn side(self) -> Option<Side> {
        match self {
            Self::PleuralEffusion { side, .. }
            | Self::Consolidation { side, .. }
            | Self::Pneumonia { side, .. }
            | Self::Opacity { side, .. }
            | Self::Atelectasis { side }
            | Self::Pneumothorax { side, .. }
            | Self::Nodule { side, .. }
            | Self::PleuralThickening { side }
            | Self::RibFracture { side } => Some(side),
            _ => None,
        }
    }

    pub(crate) const fn zone(self) -> Option<Zone> {
        match self {
            Self::Consolidation { zone, .. }
            | Self::Pneumonia { zone, .. }
            | Self::Opacity { zone, .. }
            | Self::Nodule { zone, .. } => Some(zone),
            _ => None,
        }
    }

    pub(crate) const fn severity(self) -> Option<Severity> {
        match self {
            Self::Cardiomegaly { severity }
            | Self::PleuralEffusion { severity, .. }
            | Self::Pneumothorax { severity, .. }
            | Self::Edema { severity } => Some(severity),
            _ => None,
        }
    }
}
