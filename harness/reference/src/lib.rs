//! The reference users, on official Signal code; the content and media codecs
