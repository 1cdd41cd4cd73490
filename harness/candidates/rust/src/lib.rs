//! The built-in sample candidate, on official Signal code
