//! Whom a command is for: the local run or a deployed stack. Never guessed.

use console::{
    admin::Admin,
    command::Cosell,
    local::Local,
    wrong::{Code, Wrong},
};
use std::sync::Arc;

pub(crate) enum Target {
    Local(Local),
    Stack(Stack),
}

/// A stack by its name, and how AWS is reached.
#[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "named in a message only"))]
pub(crate) struct Stack {
    pub(crate) name: String,
    pub(crate) profile: Option<String>,
    pub(crate) region: Option<String>,
}

impl Target {
    /// The target that a flag names, else the one of the environment.
    pub(crate) fn of(asked: &Cosell) -> Result<Self, Wrong> {
        let from_environment = || std::env::var("COSELL_STACK").ok().filter(|name| !name.is_empty());
        // clap sees the two only where both stand on the same side of the command.
        if asked.local.is_some() && asked.stack.is_some() {
            let wrong = Wrong::new(Code::Usage, "--local and --stack: which of them?");
            return Err(wrong.cured("leave one of them out"));
        }
        if let Some(port) = asked.local {
            return Ok(Target::Local(Local::at(port)));
        }
        let Some(name) = asked.stack.clone().or_else(from_environment) else {
            let wrong = Wrong::new(Code::NoTarget, "a deployed stack or the local run?");
            return Err(
                wrong.cured("--stack NAME (or COSELL_STACK), or --local for the one of `cosell demo`")
            );
        };
        Ok(Target::Stack(Stack { name, profile: asked.profile.clone(), region: asked.region.clone() }))
    }

    pub(crate) async fn admin(&self) -> Result<Arc<dyn Admin>, Wrong> {
        match self {
            Target::Local(local) => Ok(Arc::new(*local)),
            Target::Stack(stack) => stack.admin().await,
        }
    }
}

#[cfg(feature = "aws")]
impl Stack {
    async fn admin(&self) -> Result<Arc<dyn Admin>, Wrong> {
        let (profile, region) = (self.profile.as_deref(), self.region.as_deref());
        let stack = console::stack::Stack::open(&self.name, profile, region).await;
        Ok(Arc::new(stack.map_err(|unreachable| unreachable.wrong())?))
    }
}

#[cfg(not(feature = "aws"))]
impl Stack {
    async fn admin(&self) -> Result<Arc<dyn Admin>, Wrong> {
        Err(self.without_aws())
    }

    pub(crate) fn without_aws(&self) -> Wrong {
        let wrong =
            Wrong::new(Code::NotBuilt, format!("stack `{}`: this program was built without AWS", self.name));
        wrong.cured("`cargo install --path shared/cosell --features aws`")
    }
}
