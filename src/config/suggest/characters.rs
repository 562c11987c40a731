//! Characters that editors and web pages put into configurations, and that nobody sees.

/// Whether a character is one of those.
pub(crate) fn is_unwanted(c: char) -> bool {
    hint(c.encode_utf8(&mut [0; 4])).is_some()
}

/// What is the matter with a word, if one of those characters is in it.
pub(crate) fn hint(word: &str) -> Option<String> {
    word.chars().find_map(|c| {
        let code = u32::from(c);
        Some(match c {
            '\u{feff}' => "a byte order mark (U+FEFF), which nobody sees, stands before it; save the file as UTF-8 without one".to_owned(),
            '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{2003}' | '\u{2002}' | '\u{2009}' | '\u{3000}' => {
                format!("a blank that is none (U+{code:04X}) is part of it; type an ordinary blank instead")
            }
            '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{ad}' => {
                format!("a character that nobody sees (U+{code:04X}) is part of it; type the word again")
            }
            '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{ab}' | '\u{bb}' => {
                format!("'{c}' (U+{code:04X}) is no quote; the straight \" is")
            }
            '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' => {
                format!("'{c}' (U+{code:04X}) is no quote; the straight ' or \" is")
            }
            _ => return None,
        })
    })
}
