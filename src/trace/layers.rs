//! A frame taken apart byte by byte, as it stands in a trace.

use super::{Data, Frame, Word};

/// One layer of a frame: a protocol's header, or what is behind all headers.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// `Ethernet`, `ARP`, `IPv4`, `UDP`, `TCP`, `ICMP`, `payload`, `padding`; of the packet that an ICMP error is
    /// about, `quoted IPv4` and so on; `rest` for what could not be taken apart.
    pub name: Word,
    /// Its fields, in the order of their bytes.
    pub fields: Vec<Field>,
}

/// One field of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Where in the frame it begins, from 0.
    pub at: usize,
    /// Its bytes, as they are in the frame. Of bits within a byte: the whole byte.
    pub bytes: Data,
    /// Its name, near to the RFC's.
    pub name: Word,
    /// What its bytes mean. The same at every run.
    pub says: Word,
    /// Whether its bytes are others at every run.
    pub varies: bool,
    /// Of a checksum that can be checked: whether it is correct.
    pub is_correct: Option<bool>,
}

impl Layer {
    /// How long it is, in bytes.
    pub fn len(&self) -> usize {
        self.fields.iter().map(|field| field.bytes.len).sum()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Frame {
    /// A layer of a frame that was taken apart.
    pub fn layer(&self, name: &str) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.name == name)
    }

    /// A field of a frame that was taken apart.
    pub fn field(&self, layer: &str, name: &str) -> Option<&Field> {
        self.layer(layer)?.fields.iter().find(|field| field.name == name)
    }
}
