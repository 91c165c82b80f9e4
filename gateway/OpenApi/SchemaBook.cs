using System.Text.Json.Nodes;
using Google.Protobuf.Reflection;

namespace Lifecycle.Gateway.OpenApi;

/// <summary>JSON schemas of the messages that operations mention, each told once under <c>components/schemas</c>.</summary>
internal sealed class SchemaBook(ProtoComments comments)
{
    private readonly SortedDictionary<string, JsonObject> schemas = new(StringComparer.Ordinal);

    /// <summary>All that was mentioned, and the shape of errors.</summary>
    public JsonObject ToJson() =>
        WithProblem(new(schemas.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value.DeepClone()))));

    /// <summary>A reference to the message's schema, or the schema itself where JSON writes the message as a scalar.</summary>
    public JsonObject Of(MessageDescriptor message)
    {
        if (message.File.Package == "google.protobuf")
        {
            return WellKnown(message);
        }

        var name = Name(message);
        if (!schemas.ContainsKey(name))
        {
            // Entered before it is filled: messages may contain themselves.
            var schema = schemas[name] = new JsonObject { ["type"] = "object" };
            Describe(schema, comments.Of(message));
            var properties = new JsonObject();
            foreach (var field in message.Fields.InFieldNumberOrder())
            {
                properties[field.JsonName] = Of(field);
            }

            schema["properties"] = properties;
            schema["additionalProperties"] = false;
        }

        return Reference(name);
    }

    public JsonObject Of(FieldDescriptor field)
    {
        JsonObject schema;
        if (field.IsMap)
        {
            schema = new JsonObject { ["type"] = "object", ["additionalProperties"] = Single(field.MessageType.FindFieldByNumber(2)) };
        }
        else
        {
            schema = field.IsRepeated ? new JsonObject { ["type"] = "array", ["items"] = Single(field) } : Single(field);
        }

        Describe(schema, comments.Of(field));
        return schema;
    }

    public static void Describe(JsonObject target, string comment)
    {
        if (comment.Length > 0)
        {
            target["description"] = comment;
        }
    }

    private JsonObject Single(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.Message => Of(field.MessageType),
        FieldType.Enum => Of(field.EnumType),
        FieldType.String => Type("string"),
        FieldType.Bool => Type("boolean"),
        FieldType.Bytes => new JsonObject { ["type"] = "string", ["contentEncoding"] = "base64" },
        FieldType.Double or FieldType.Float => Type("number", "double"),
        FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 => Type("string", "int64"),
        FieldType.UInt64 or FieldType.Fixed64 => Type("string", "uint64"),
        _ => Type("integer", "int32"),
    };

    private JsonObject Of(EnumDescriptor type)
    {
        var name = Name(type);
        if (!schemas.ContainsKey(name))
        {
            var lines = type.Values.Where(value => value.Number != 0).Select(value => $"- `{value.Name}`: {comments.Of(value)}");
            schemas[name] = new JsonObject
            {
                ["type"] = "string",
                ["enum"] = new JsonArray(type.Values.Select(value => (JsonNode)JsonValue.Create(value.Name)).ToArray()),
                ["description"] = $"{comments.Of(type)}\n\n{string.Join('\n', lines)}".Trim(),
            };
        }

        return Reference(name);
    }

    private static JsonObject WellKnown(MessageDescriptor message) => message.Name switch
    {
        "Timestamp" => Type("string", "date-time"),
        "Duration" =>
            new JsonObject { ["type"] = "string", ["pattern"] = "^-?[0-9]+(\\.[0-9]+)?s$", ["examples"] = new JsonArray("3600s") },
        "FieldMask" => new JsonObject { ["type"] = "string", ["examples"] = new JsonArray("displayName,email") },
        "Struct" or "Empty" => Type("object"),
        "ListValue" => Type("array"),
        "BoolValue" => Type("boolean"),
        "StringValue" => Type("string"),
        "Int32Value" or "UInt32Value" => Type("integer", "int32"),
        "Int64Value" or "UInt64Value" => Type("string", "int64"),
        "DoubleValue" or "FloatValue" => Type("number", "double"),
        _ => [],
    };

    private static JsonObject Type(string type, string? format = null) =>
        format is null ? new JsonObject { ["type"] = type } : new JsonObject { ["type"] = type, ["format"] = format };

    private static JsonObject Reference(string name) => new() { ["$ref"] = $"#/components/schemas/{name}" };

    /// <summary><c>lifecycle.capture.v1.Lead.Company</c> is <c>capture.Lead.Company</c>.</summary>
    private static string Name(IDescriptor descriptor) =>
        descriptor.FullName.Replace("lifecycle.", "", StringComparison.Ordinal).Replace(".v1.", ".", StringComparison.Ordinal);

    private static JsonObject WithProblem(JsonObject all)
    {
        var text = new JsonObject { ["type"] = "string" };
        all["Problem"] = new JsonObject
        {
            ["type"] = "object",
            ["description"] = "An error (RFC 9457).",
            ["required"] = new JsonArray("type", "title", "status", "code", "detail", "traceId"),
            ["properties"] = new JsonObject
            {
                ["type"] = text.DeepClone(),
                ["title"] = text.DeepClone(),
                ["status"] = new JsonObject { ["type"] = "integer" },
                ["code"] = new JsonObject { ["type"] = "string", ["description"] = "For programs, e.g. INVALID_ARGUMENT." },
                ["detail"] = new JsonObject { ["type"] = "string", ["description"] = "For people." },
                ["errors"] = new JsonObject
                {
                    ["type"] = "array",
                    ["description"] = "Every fault of the request.",
                    ["items"] = new JsonObject
                    {
                        ["type"] = "object",
                        ["properties"] = new JsonObject { ["field"] = text.DeepClone(), ["message"] = text.DeepClone() }
                    },
                },
                ["traceId"] = new JsonObject { ["type"] = "string", ["description"] = "Under which the trace and the logs are found." },
            },
        };
        return all;
    }
}
