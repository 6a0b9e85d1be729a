//! Every kept story is played again: one whose fault is mended must not show it any more, one whose fault is open still
//! does (else it was mended: say so in its file).

use std::{path::Path, sync::Mutex};
use stories::{kept::Kept, play::play};

#[test]
fn kept_stories_show_what_their_files_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kept");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no story is kept");
    let (next, wrong) = (Mutex::new(files.into_iter()), Mutex::new(vec![]));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(file) = next.lock().expect("files").next() else { return };
                    let told = match Kept::read(&file) {
                        Ok(kept) => verdict(&kept),
                        Err(e) => Some(e),
                    };
                    wrong
                        .lock()
                        .expect("wrong")
                        .extend(told.map(|told| format!("{}: {told}", file.display())));
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("wrong");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn verdict(kept: &Kept) -> Option<String> {
    let crm = match kept.crm() {
        Ok(crm) => crm,
        Err(e) => return Some(e),
    };
    let violations = play(&kept.story, crm).violations;
    let shown = violations.iter().find(|violation| violation.kind == kept.kind);
    match (shown, kept.open) {
        (Some(_), true) | (None, false) => None,
        (Some(violation), false) => Some(format!("it shows `{}` again: {}", kept.kind, violation.words)),
        (None, true) => Some(format!("`{}` does not show any more: it is mended, `open` goes", kept.kind)),
    }
}
