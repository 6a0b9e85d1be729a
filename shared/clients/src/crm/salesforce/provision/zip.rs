//! Makes an archive of a few small texts, uncompressed.

/// The archive of these files (name, text).
pub(super) fn archive<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let (mut all, mut directory, mut count) = (vec![], vec![], 0_u16);
    for (name, text) in files {
        let start = length(all.len());
        let name_length = u16::try_from(name.len()).unwrap_or(u16::MAX);
        // Version 2.0, no flags, uncompressed, dated 1980-01-01.
        let mut entry = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        entry.extend(crc32(text.as_bytes()).to_le_bytes());
        entry.extend(length(text.len()));
        entry.extend(length(text.len()));
        entry.extend(name_length.to_le_bytes());
        entry.extend([0, 0]);
        all.extend(b"PK\x03\x04");
        all.extend(&entry);
        all.extend(name.as_bytes());
        all.extend(text.as_bytes());
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&entry);
        // No comment, first disk, no attributes.
        directory.extend([0; 10]);
        directory.extend(start);
        directory.extend(name.as_bytes());
        count += 1;
    }
    let (start, size) = (length(all.len()), length(directory.len()));
    all.extend(directory);
    all.extend(b"PK\x05\x06\0\0\0\0");
    all.extend(count.to_le_bytes());
    all.extend(count.to_le_bytes());
    all.extend(size);
    all.extend(start);
    all.extend([0, 0]);
    all
}

/// A length for the archive; lengths here are some kilobytes.
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes()
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn an_archive_ends_with_its_directory() {
        let archive = archive([("a.txt", "one"), ("b/c.txt", "three")]);
        let end = &archive[archive.len() - 22..];
        assert_eq!((&end[..4], end[10]), (&b"PK\x05\x06"[..], 2));
        let directory = usize::from(end[16]) + (usize::from(end[17]) << 8);
        assert_eq!(&archive[directory..directory + 4], b"PK\x01\x02");
        let text = String::from_utf8_lossy(&archive).into_owned();
        assert!(text.contains("one") && text.contains("three"));
    }
}
