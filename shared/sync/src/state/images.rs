//! The images of one side of a link. Copies of a link share them until one copy changes: most runs change nothing.

use mapping::Value;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    collections::BTreeMap,
    ops::{Deref, DerefMut},
    sync::Arc,
};

/// The image of each unit, by the unit's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Images(Arc<BTreeMap<String, Value>>);

impl Deref for Images {
    type Target = BTreeMap<String, Value>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Images {
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(&mut self.0)
    }
}

impl FromIterator<(String, Value)> for Images {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(images: I) -> Self {
        Images(Arc::new(images.into_iter().collect()))
    }
}

impl Serialize for Images {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Images {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(|images| Images(Arc::new(images)))
    }
}
