//! The ingress's job in plain Python and plain TypeScript, with their usual libraries, installed below `target/bench`.

use crate::{function::Program, stage::Stage};
use anyhow::{Context, ensure};
use jiff::SignedDuration;
use std::path::Path;
use tokio::process::Command;

/// Those that can be installed here; why not is told.
pub(crate) async fn install(stage: &Stage, sources: &Path, work: &Path) -> Vec<Program> {
    let mut programs = vec![];
    for (name, command) in [("python", python(sources, work).await), ("node", node(sources, work).await)] {
        match command {
            Ok(command) => {
                let mut environment = stage.environment();
                let path = std::env::var("PATH").unwrap_or_default();
                environment.push(("PATH".to_owned(), path));
                let limit = SignedDuration::from_secs(10);
                programs.push(Program { name: name.to_owned(), command, environment, limit });
            }
            Err(e) => eprintln!("no {name} beside it: {e:#}"),
        }
    }
    programs
}

async fn python(sources: &Path, work: &Path) -> anyhow::Result<Vec<String>> {
    let (sources, home) = (sources.join("python"), work.join("python"));
    let interpreter = home.join("bin/python");
    if !home.join("installed").exists() {
        run("python3", &["-m", "venv", &text(&home)?], work).await?;
        let requirements = text(&sources.join("requirements.txt"))?;
        run(&text(&interpreter)?, &["-m", "pip", "install", "--quiet", "-r", &requirements], work).await?;
        std::fs::write(home.join("installed"), "")?;
    }
    Ok(vec![text(&interpreter)?, text(&sources.join("bootstrap.py"))?])
}

/// Bundled into one file, as SAM does it.
async fn node(sources: &Path, work: &Path) -> anyhow::Result<Vec<String>> {
    let (sources, home) = (sources.join("node"), work.join("node"));
    std::fs::create_dir_all(&home)?;
    for file in ["package.json", "package-lock.json", "function.ts", "bootstrap.ts"] {
        std::fs::copy(sources.join(file), home.join(file))?;
    }
    if !home.join("node_modules").exists() {
        run("npm", &["ci", "--silent", "--no-audit", "--no-fund"], &home).await?;
    }
    let bundle = text(&home.join("bundle.js"))?;
    let out = format!("--outfile={bundle}");
    let bundler = text(&home.join("node_modules/.bin/esbuild"))?;
    let how =
        ["bootstrap.ts", "--bundle", "--minify", "--platform=node", "--target=node20", "--log-level=error"];
    run(&bundler, &[&how[..], &[out.as_str()]].concat(), &home).await?;
    Ok(vec!["node".to_owned(), bundle])
}

async fn run(program: &str, arguments: &[&str], folder: &Path) -> anyhow::Result<()> {
    let status = Command::new(program).args(arguments).current_dir(folder).status().await;
    let status = status.with_context(|| format!("`{program}` does not start"))?;
    ensure!(status.success(), "`{program} {}`: {status}", arguments.join(" "));
    Ok(())
}

fn text(path: &Path) -> anyhow::Result<String> {
    Ok(path.to_str().context("a path in UTF-8")?.to_owned())
}
