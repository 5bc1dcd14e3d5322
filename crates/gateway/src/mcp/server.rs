//! The server as rmcp sees it: which tools there are for this visitor, and one call.

use std::sync::Arc;

use http::request::Parts;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, JsonObject,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool as Listed,
    ToolAnnotations,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::Value;
use wire::{Fault, SurfaceId};

use super::running::Running;
use super::tools::{self, Action, Need, TOOLS, Tool};
use super::vault::Errand;
use super::{generate, routing, schema, vault};
use crate::app::App;
use crate::clock;
use crate::door::{Caller, Role};
use crate::manage::breakers;
use crate::world::World;

/// The name that mcp-llm-bridge gives itself: configurations and scripts may look for it.
const NAME: &str = "mcp-llm-bridge";

/// The gateway's tools.
#[derive(Clone)]
pub struct Tools {
    app: Arc<App>,
    /// Who visits on a stream of one client; over HTTP each request brings its own.
    visit: Option<Visit>,
    read_only: bool,
}

/// Who calls, and for which project.
#[derive(Clone)]
pub struct Visit {
    #[allow(missing_docs)]
    pub caller: Caller,
    /// Taken when the arguments name none.
    pub project: Option<String>,
    /// What the request came in under; on a stream of one client each call takes what holds then.
    pub(super) world: Option<Arc<World>>,
    /// The call, where another request may cancel it.
    pub(super) running: Option<Arc<Running>>,
}

impl Visit {
    #[allow(missing_docs)]
    pub fn new(caller: Caller, project: Option<String>) -> Self {
        Self { caller, project, world: None, running: None }
    }

    async fn cancelled(&self) {
        match &self.running {
            Some(running) => running.cancelled().await,
            None => std::future::pending().await,
        }
    }
}

impl Tools {
    /// For one client on a stream of its own.
    pub fn for_one(app: Arc<App>, visit: Visit, read_only: bool) -> Self {
        Self { app, visit: Some(visit), read_only }
    }

    /// For requests that bring a [`Visit`] among their extensions.
    pub fn for_many(app: Arc<App>) -> Self {
        Self { app, visit: None, read_only: false }
    }

    fn visit(&self, context: &RequestContext<RoleServer>) -> Result<Visit, ErrorData> {
        let brought = || context.extensions.get::<Parts>()?.extensions.get::<Visit>().cloned();
        let visit = self.visit.clone().or_else(brought);
        visit.ok_or_else(|| ErrorData::internal_error("nobody is known to have called", None))
    }

    /// Why this visitor may not use a tool.
    fn refusal(&self, tool: &Tool, caller: &Caller) -> Option<Fault> {
        let why = match tool.need {
            Need::WriteVault if self.read_only => "this server was started with --read-only",
            Need::WriteVault | Need::ReadVault if caller.role != Role::Admin => {
                "this tool needs the gateway's own token (LLM_GATEWAY_AUTH_TOKEN)"
            }
            _ => return None,
        };
        Some(Fault::Forbidden { why: why.to_owned() })
    }

    async fn call(
        &self,
        tool: &Tool,
        visit: &Visit,
        arguments: JsonObject,
        context: &RequestContext<RoleServer>,
    ) -> Result<Value, Fault> {
        if let Some(refusal) = self.refusal(tool, &visit.caller) {
            return Err(refusal);
        }
        schema::check(tool.input, &arguments)?;
        let project = text(&arguments, "project").or_else(|| visit.project.clone());
        let world = visit.world.clone().unwrap_or_else(|| self.app.world());
        let errand = Errand { app: &self.app, world, caller: &visit.caller, project, arguments };
        match tool.action {
            Action::Generate => tokio::select! {
                answer = generate::generate(errand) => answer,
                never = generate::report_progress(context.peer.clone(), context.meta.get_progress_token()) => match never {},
            },
            Action::Models => vault::list_models(&errand),
            Action::StoreCredential => vault::store_credential(errand).await,
            Action::ListCredentials => vault::list_credentials(errand).await,
            Action::DeleteCredential => vault::delete_credential(errand).await,
            Action::StoreFile => vault::store_file(errand).await,
            Action::ListFiles => vault::list_files(errand).await,
            Action::DeleteFile => vault::delete_file(errand).await,
            Action::ListGroups => routing::list_groups(errand).await,
            Action::CreateGroup => routing::create_group(errand).await,
            Action::DeleteGroup => routing::delete_group(errand).await,
            Action::ConfigureBreakers => routing::configure_breakers(errand).await,
            Action::BreakerStats => Ok(breakers::stats(&self.app)),
        }
    }
}

impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        let about = Implementation::new(NAME, crate::VERSION).with_title("LLM Gateway");
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build()).with_server_info(about)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let visit = self.visit(&context)?;
        let offered = TOOLS.iter().filter(|tool| self.refusal(tool, &visit.caller).is_none());
        Ok(ListToolsResult::with_all_items(offered.map(listed).collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let visit = self.visit(&context)?;
        let Some(tool) = tools::find(&request.name) else {
            return Err(ErrorData::invalid_params(format!("there is no tool '{}'", request.name), None));
        };
        let arguments = request.arguments.unwrap_or_default();
        let called = tokio::select! {
            called = self.call(tool, &visit, arguments, &context) => called,
            () = context.ct.cancelled() => return Err(cancelled()),
            () = visit.cancelled() => return Err(cancelled()),
        };
        Ok(rendered(tool, called).into())
    }

    fn get_tool(&self, name: &str) -> Option<Listed> {
        tools::find(name).map(listed)
    }
}

fn cancelled() -> ErrorData {
    ErrorData::internal_error("cancelled by the client", None)
}

fn text(arguments: &JsonObject, field: &str) -> Option<String> {
    arguments.get(field).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// One text item that holds JSON, and the same as structured content; an error in the form of the native routes.
fn rendered(tool: &Tool, called: Result<Value, Fault>) -> CallToolResult {
    match called {
        Ok(result) => {
            let text = ContentBlock::text(result.to_string());
            let mut rendered = CallToolResult::success(vec![text]);
            rendered.structured_content = Some(tool.output.structured(result));
            rendered
        }
        Err(fault) => {
            let id = clock::request_id().to_string();
            if let Fault::Internal { source } = &fault {
                tracing::error!(request_id = id, error = %source, "internal error");
            }
            let (_, body) = SurfaceId::Generate.surface().encode_fault(&fault, &id);
            CallToolResult::error(vec![ContentBlock::text(String::from_utf8_lossy(&body))])
        }
    }
}

fn listed(tool: &Tool) -> Listed {
    let reads = tool.need != Need::WriteVault;
    let annotations = ToolAnnotations::from_raw(
        None,
        Some(reads),
        Some(!reads),
        Some(tool.action != Action::Generate),
        Some(tool.action == Action::Generate),
    );
    Listed::new(tool.name, tool.about, Arc::new(schema::object(tool.input)))
        .with_title(tool.title)
        .with_raw_output_schema(Arc::new(tool.output.schema()))
        .with_annotations(annotations)
}
