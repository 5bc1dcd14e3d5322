//! Functions on offer and the choice among them, on the Gemini wire.

use serde_json::Value;

use crate::ask::{Ask, Forced, Tool};
use crate::wire::{Refusal, list, require};

/// Judges the functions and reads them. Built-in tools are passed over.
pub(super) fn read(body: &Value, ask: &mut Ask) -> Result<(), Refusal> {
    for (place, tool) in list(&body["tools"]).iter().enumerate() {
        for (number, function) in list(&tool["functionDeclarations"]).iter().enumerate() {
            let at = format!("GenerateContentRequest.tools[{place}].function_declarations[{number}]");
            ask.tools.push(declaration(function, &at)?);
        }
    }
    ask.forced = forced(&body["toolConfig"]["functionCallingConfig"], ask)?;
    Ok(())
}

fn declaration(function: &Value, at: &str) -> Result<Tool, Refusal> {
    let name = function["name"].as_str().unwrap_or_default();
    let message = format!(
        "* {at}.name: Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, \
         0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64."
    );
    require(is_function_name(name), "", &message)?;
    let (openapi, json) = (&function["parameters"], &function["parametersJsonSchema"]);
    let one = openapi.is_null() || json.is_null();
    require(one, "", &format!("* {at}: parameters and parameters_json_schema are mutually exclusive"))?;
    let schema = if json.is_null() { openapi } else { json };
    Ok(Tool { name: name.to_owned(), schema: schema.clone(), custom: false })
}

fn is_function_name(name: &str) -> bool {
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    begins && name.len() <= 64 && name.bytes().all(legal)
}

fn forced(config: &Value, ask: &Ask) -> Result<Forced, Refusal> {
    let allowed = list(&config["allowedFunctionNames"]);
    let mode = config["mode"].as_str().unwrap_or("AUTO");
    let limits = matches!(mode, "ANY" | "VALIDATED");
    let message = "* GenerateContentRequest.tool_config.function_calling_config.allowed_function_names: only with mode ANY";
    require(allowed.is_empty() || limits, "", message)?;
    for name in allowed {
        let known = ask.tools.iter().any(|tool| *name == tool.name.as_str());
        require(known, "", &format!("allowed_function_names: {name} is no declared function"))?;
    }
    match mode {
        "AUTO" | "VALIDATED" | "MODE_UNSPECIFIED" => Ok(Forced::No),
        "NONE" => Ok(Forced::Never),
        "ANY" => {
            let message = "Function calling config is set without function_declarations.";
            require(!ask.tools.is_empty(), "", message)?;
            let one = allowed.first().and_then(Value::as_str).filter(|_| allowed.len() == 1);
            Ok(one.map_or(Forced::Any, |name| Forced::Named(name.to_owned())))
        }
        _ => Err(Refusal::new(400, "Invalid value at 'tool_config.function_calling_config.mode'")),
    }
}
