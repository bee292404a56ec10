//! Tools in both protocols: how they are offered, called and answered.

use protocol::model::{ToolCall, ToolSpec};
use serde_json::{Value, json, value::to_raw_value};

use super::*;

fn offering() -> ModelRequest {
    let call = |id: &str, arguments: &str| ToolCall {
        id: id.to_owned(),
        name: "look".to_owned(),
        arguments: arguments.to_owned(),
    };
    let result =
        |id: &str, text: &str| Turn { answers: Some(id.to_owned()), ..Turn::new(Role::Tool, text) };
    let calls = vec![call("a", r#"{"at":1}"#), call("b", "nonsense")];
    let called = Turn { calls, ..Turn::new(Role::Assistant, "") };
    let turns = vec![
        Turn::new(Role::System, "be kind"),
        Turn::new(Role::User, "what is there?"),
        called,
        result("a", "one"),
        result("b", ""),
    ];
    let parameters = to_raw_value(&json!({"type": "object"})).unwrap();
    let tools = ToolSpec { name: "look".to_owned(), description: "looks".to_owned(), parameters };
    ModelRequest { tools: [tools].into(), ..ModelRequest::new(turns, 99) }
}

async fn asked(spoken: Spoken) -> Value {
    let mut server = server(whole("application/json", spoken.body())).await;
    let model = spoken.model(config(&server.url));
    model.complete(&offering(), &mut |_| ()).await.unwrap();
    let asked = server.asked.recv().await.unwrap();
    serde_json::from_str(asked.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test]
async fn tools_calls_and_results_are_told_in_the_words_of_the_protocol() {
    let openai = asked(Spoken::OpenAi).await;
    let function =
        json!({"name": "look", "description": "looks", "parameters": {"type": "object"}});
    assert_eq!(openai["tools"], json!([{"type": "function", "function": function}]));
    let function = json!({"name": "look", "arguments": "{\"at\":1}"});
    let calls = &openai["messages"][2]["tool_calls"];
    assert_eq!(calls[0], json!({"id": "a", "type": "function", "function": function}));
    assert_eq!(calls[1]["function"]["arguments"], "nonsense");
    let result = json!({"role": "tool", "content": "one", "tool_call_id": "a"});
    assert_eq!(openai["messages"][3], result);
    assert_eq!(openai["messages"][4]["tool_call_id"], "b");

    let anthropic = asked(Spoken::Anthropic).await;
    let tool = json!({"name": "look", "description": "looks", "input_schema": {"type": "object"}});
    assert_eq!(anthropic["tools"], json!([tool]));
    let call =
        |id: &str, input| json!({"type": "tool_use", "id": id, "name": "look", "input": input});
    let calls = json!([call("a", json!({"at": 1})), call("b", json!({}))]);
    assert_eq!(anthropic["messages"][1], json!({"role": "assistant", "content": calls}));
    let result =
        |id: &str, text: &str| json!({"type": "tool_result", "tool_use_id": id, "content": text});
    let results = json!([result("a", "one"), result("b", "")]);
    assert_eq!(anthropic["messages"][2], json!({"role": "user", "content": results}));
    assert_eq!(anthropic["messages"].as_array().unwrap().len(), 3);
}

/// The same two calls, whole and streamed.
fn calling(spoken: Spoken) -> [Vec<Act>; 2] {
    let (body, events) = match spoken {
        Spoken::OpenAi => (
            r#"{"model":"m-7","choices":[{"index":0,"finish_reason":"tool_calls","message":
            {"role":"assistant","content":null,"tool_calls":[
            {"id":"a","type":"function","function":{"name":"look","arguments":"{\"at\":1}"}},
            {"id":"b","type":"function","function":{"name":"go","arguments":"{}"}}]}}]}"#,
            [
                r#"data: {"model":"m-7","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"look","arguments":""}}]}}]}"#,
                r#"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"at\""}}]}}]}"#,
                r#"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}"#,
                r#"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"go","arguments":"{}"}}]}}]}"#,
                r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
                "data: [DONE]",
                "",
            ]
            .join("\n\n"),
        ),
        Spoken::Anthropic => (
            r#"{"type":"message","model":"m-7","stop_reason":"tool_use","content":[
            {"type":"tool_use","id":"a","name":"look","input":{"at":1}},
            {"type":"tool_use","id":"b","name":"go","input":{}}]}"#,
            [
                r#"data: {"type":"message_start","message":{"model":"m-7","content":[]}}"#,
                r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"look","input":{}}}"#,
                r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"at\""}}"#,
                r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":":1}"}}"#,
                r#"data: {"type":"content_block_stop","index":0}"#,
                r#"data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"b","name":"go","input":{}}}"#,
                r#"data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":3}}"#,
                r#"data: {"type":"message_stop"}"#,
                "",
            ]
            .join("\n\n"),
        ),
    };
    [whole("application/json", body), stream(&events)]
}

#[tokio::test]
async fn calls_are_read_whole_and_streamed_and_are_nothing_where_no_tool_was_offered() {
    for spoken in BOTH {
        for script in calling(spoken) {
            let server = server(script).await;
            let model = spoken.model(config(&server.url));
            let answer = model.complete(&offering(), &mut |_| ()).await.unwrap();
            assert_eq!((answer.finish, answer.text.as_str()), (Finish::Tools, ""), "{spoken:?}");
            let calls: Vec<_> = answer
                .calls
                .iter()
                .map(|it| (it.id.as_str(), it.name.as_str(), it.arguments.as_str()))
                .collect();
            let nothing = if matches!(calls[1], (_, _, "")) { "" } else { "{}" };
            assert_eq!(calls, [("a", "look", "{\"at\":1}"), ("b", "go", nothing)], "{spoken:?}");
            let unasked = model.complete(&request(), &mut |_| ()).await;
            assert!(matches!(unasked, Err(CompleteError::Garbled { .. })), "{spoken:?}");
        }
    }
}

#[tokio::test]
async fn calls_beyond_the_limits_are_too_large_and_cut_ones_are_garbled() {
    for spoken in BOTH {
        for script in calling(spoken) {
            let server = server(script).await;
            let mut config = config(&server.url);
            config.answer_bytes_max = 12;
            let answer = spoken.model(config).complete(&offering(), &mut |_| ()).await;
            assert!(matches!(answer, Err(CompleteError::TooLarge)), "{spoken:?}");
        }
        let [body, _] = calling(spoken);
        let [Act::Send(body)] = body.as_slice() else { panic!("it is one") };
        let cut = body.split_once("\r\n\r\n").unwrap().1;
        let cut = cut.replace("\"tool_calls\",\"message", "\"length\",\"message");
        let cut = cut.replace("\"stop_reason\":\"tool_use\"", "\"stop_reason\":\"max_tokens\"");
        let server = server(whole("application/json", &cut)).await;
        let answer = spoken.model(config(&server.url)).complete(&offering(), &mut |_| ()).await;
        assert!(matches!(answer, Err(CompleteError::Garbled { .. })), "{spoken:?}: {answer:?}");
    }
}

#[tokio::test]
async fn a_server_that_gives_every_call_the_same_place_and_says_stop_is_understood() {
    let call = |id: &str| {
        format!(
            r#"data: {{"choices":[{{"index":0,"delta":{{"tool_calls":[{{"index":0,"id":"{id}","function":{{"name":"look","arguments":"{{}}"}}}}]}}}}]}}"#
        )
    };
    let end = r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
    let events = [call("x"), call("y"), end.to_owned(), "data: [DONE]\n\n".to_owned()];
    let server = server(stream(&events.join("\n\n"))).await;
    let model = Spoken::OpenAi.model(config(&server.url));
    let answer = model.complete(&offering(), &mut |_| ()).await.unwrap();
    assert_eq!(answer.finish, Finish::Tools);
    assert_eq!(answer.calls.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["x", "y"]);
}
