using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Google.Protobuf.Reflection;
using Lifecycle.Gateway.Routes;
using Lifecycle.Rpc;

namespace Lifecycle.Gateway.OpenApi;

/// <summary>
/// The OpenAPI 3.1 document of every REST path, made of the descriptors and the comments of the protos, once per process.
/// </summary>
internal sealed partial class OpenApiDocument
{
    private const int MaxQueryDepth = 2;
    private static readonly JsonSerializerOptions Compact =
        new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ProtoComments comments = ProtoComments.Load();
    private readonly SchemaBook schemas;
    private readonly JsonObject paths = [];

    private OpenApiDocument()
    {
        schemas = new(comments);
        foreach (var method in RouteTable.Methods.Where(method => method.Rest is not null)
            .OrderBy(method => method.Rest!.Path, StringComparer.Ordinal))
        {
            Add(method.Rest!.Path, method.Rest.Verb, Operation(method));
        }

        foreach (var extra in ExtraRoutes.All)
        {
            foreach (var verb in extra.Verb.Split(',').Where(verb => verb != "HEAD"))
            {
                Add(extra.Path, verb, Operation(extra, verb));
            }
        }
    }

    /// <summary>The document as UTF-8 JSON.</summary>
    public static byte[] Create() => JsonSerializer.SerializeToUtf8Bytes(new OpenApiDocument().ToJson(), Compact);

    private JsonObject ToJson() => new()
    {
        ["openapi"] = "3.1.0",
        ["info"] = new JsonObject
        {
            ["title"] = "Lifecycle",
            ["version"] = "v1",
            ["description"] =
                "Follows every B2B lead from the first anonymous visit to advocate. The same messages are served over gRPC. Fields are lowerCamelCase, "
                + "times RFC 3339 in UTC, 64-bit integers strings, money exact decimals as strings. Errors are problem+json and name every fault at once.",
        },
        ["servers"] = new JsonArray(new JsonObject { ["url"] = "/" }),
        ["tags"] = Tags(),
        ["paths"] = paths,
        ["components"] = new JsonObject
        {
            ["schemas"] = schemas.ToJson(),
            ["responses"] = new JsonObject
            {
                ["Problem"] = new JsonObject
                {
                    ["description"] = "Any error: 400, 401, 403, 404, 409, 413, 415, 429 (with Retry-After), 5xx.",
                    ["content"] = Content("application/problem+json", Reference("Problem")),
                },
            },
            ["securitySchemes"] = new JsonObject
            {
                ["bearer"] = new JsonObject
                {
                    ["type"] = "http",
                    ["scheme"] = "bearer",
                    ["description"] =
                        "A secret key `lk_…` with the scope that the operation names, or for ingest a publishable key `lp_…`.",
                },
                ["basic"] =
                    new JsonObject { ["type"] = "http", ["scheme"] = "basic", ["description"] = "Ingest only: the key as user name." },
                ["query"] = new JsonObject { ["type"] = "apiKey", ["in"] = "query", ["name"] = "key", ["description"] = "Ingest only." },
            },
        },
    };

    private void Add(string path, string verb, JsonObject operation)
    {
        var key = ParameterName().Replace(path, match => "{" + Camel(match.Groups[1].Value) + "}");
        if (paths[key] is not JsonObject item)
        {
            paths[key] = item = [];
        }

        item[verb.ToLowerInvariant()] = operation;
    }

    private JsonObject Operation(RpcMethod method)
    {
        var (descriptor, rest) = (method.Descriptor, method.Rest!);
        var comment = comments.Of(descriptor);
        var operation = new JsonObject
        {
            ["operationId"] = $"{descriptor.Service.Name}_{descriptor.Name}",
            ["tags"] = new JsonArray(Tag(descriptor.Service)),
            ["summary"] = FirstSentence(comment),
            ["description"] = Description(comment, method),
        };
        var parameters = Parameters(method);
        if (parameters.Count > 0)
        {
            operation["parameters"] = parameters;
        }

        if (Body(descriptor, rest, method.Media) is { } body)
        {
            operation["requestBody"] = body;
        }

        var answer = schemas.Of(descriptor.OutputType);
        operation["responses"] = Responses(descriptor.IsServerStreaming
            ? new JsonObject
            {
                ["text/event-stream"] = new JsonObject { ["schema"] = answer.DeepClone() },
                ["application/x-ndjson"] = new JsonObject { ["schema"] = answer },
            }
            : Answer(method, answer));
        operation["security"] = method.IsPublic ? new JsonArray() : new JsonArray(new JsonObject { ["bearer"] = new JsonArray() });
        return operation;
    }

    private static JsonObject Answer(RpcMethod method, JsonObject schema)
    {
        var content = Content("application/json", schema);
        if (method.Csv.Length > 0)
        {
            content["text/csv"] = new JsonObject { ["schema"] = new JsonObject { ["type"] = "string" } };
        }

        return content;
    }

    private JsonObject Operation(ExtraRoute extra, string verb)
    {
        var isIngest = extra.Metadata.OfType<IngestEndpoint>().Any();
        var words = extra.Path.Trim('/').Replace('/', '_').Replace("{", "", StringComparison.Ordinal)
            .Replace("}", "", StringComparison.Ordinal);
        var operation = new JsonObject
        {
            ["operationId"] = $"{extra.Service}_{verb.ToLowerInvariant()}_{words}",
            ["tags"] = new JsonArray(isIngest ? "Ingest" : "Public"),
            ["summary"] = extra.Summary,
        };
        var parameters = new JsonArray(
            ParameterName().Matches(extra.Path).Select(match => (JsonNode)PathParameter(match.Groups[1].Value, "Opaque token."))
                .Concat(extra.Query.Select(given => Parameter("query", given.Name, new() { ["type"] = "string" }, given.Description)))
                .ToArray());
        if (parameters.Count > 0)
        {
            operation["parameters"] = parameters;
        }

        if (extra.Body is { } body)
        {
            var content = Content("application/json", schemas.Of(body));
            if (extra.TakesForms)
            {
                content["application/x-www-form-urlencoded"] = new JsonObject { ["schema"] = schemas.Of(body) };
            }

            operation["requestBody"] = new JsonObject { ["required"] = true, ["content"] = content };
        }

        operation["responses"] = Responses(
            extra.Answer is { } answer ? Content("application/json", schemas.Of(answer)) : Content(extra.ContentType, []));
        operation["security"] = isIngest
            ? new JsonArray(
                new JsonObject { ["bearer"] = new JsonArray() }, new JsonObject { ["basic"] = new JsonArray() },
                new JsonObject { ["query"] = new JsonArray() })
            : [];
        return operation;
    }

    private JsonArray Parameters(RpcMethod method)
    {
        var (input, rest) = (method.Descriptor.InputType, method.Rest!);
        var inPath = ParameterName().Matches(rest.Path).Select(match => match.Groups[1].Value).ToList();
        var parameters = new JsonArray();
        foreach (var name in inPath)
        {
            parameters.Add(PathParameter(name, FindField(input, name) is { } field ? comments.Of(field) : ""));
        }

        if (method.Descriptor.IsClientStreaming)
        {
            parameters.Add(Parameter("query", "dryRun", new JsonObject { ["type"] = "boolean" }, "Check everything, change nothing."));
        }
        else if (rest.Body != "*")
        {
            AddQuery(parameters, input, "", inPath.Append(rest.Body).ToHashSet(StringComparer.Ordinal), MaxQueryDepth);
        }

        if (rest.Verb != "GET" && (method.Descriptor.IsClientStreaming || input.FindFieldByName("request_id") is not null))
        {
            parameters.Add(Parameter(
                "header", "Idempotency-Key", new JsonObject { ["type"] = "string", ["maxLength"] = 255 },
                "Same key and same request: the first answer again."));
        }

        return parameters;
    }

    private void AddQuery(JsonArray parameters, MessageDescriptor message, string prefix, HashSet<string> leaveOut, int depth)
    {
        foreach (var field in message.Fields.InFieldNumberOrder().Where(
            field => !leaveOut.Contains(field.Name) && !field.IsMap && field.Name != "request_id"))
        {
            var isOwnMessage = field.FieldType == FieldType.Message && field.MessageType.File.Package != "google.protobuf";
            if (!isOwnMessage)
            {
                var schema = schemas.Of(field);
                schema.Remove("description");
                parameters.Add(Parameter("query", prefix + field.JsonName, schema, comments.Of(field)));
            }
            else if (!field.IsRepeated && depth > 1)
            {
                AddQuery(parameters, field.MessageType, $"{prefix}{field.JsonName}.", [], depth - 1);
            }
        }
    }

    private JsonObject? Body(MethodDescriptor method, RestBinding rest, string media)
    {
        if (method.IsClientStreaming)
        {
            return new JsonObject
            {
                ["required"] = true,
                ["content"] = media.Length > 0
                    ? new JsonObject { [media] = new JsonObject() }
                    : new JsonObject { ["text/csv"] = new JsonObject(), ["application/x-ndjson"] = new JsonObject() },
            };
        }

        var message = rest.Body switch
        {
            "" => null,
            "*" => method.InputType,
            var field => method.InputType.FindFieldByName(field).MessageType,
        };
        return message is null ? null : new JsonObject { ["content"] = Content("application/json", schemas.Of(message)) };
    }

    private JsonArray Tags() => new(RouteTable.Methods.Where(method => method.Rest is not null)
        .Select(method => method.Descriptor.Service).Distinct()
        .Select(service => (JsonNode)new JsonObject { ["name"] = Tag(service), ["description"] = comments.Of(service) })
        .Append(new JsonObject { ["name"] = "Ingest", ["description"] = "What sites and Segment-compatible SDKs send." })
        .Append(new JsonObject { ["name"] = "Public", ["description"] = "Open to anyone: scripts, and links that carry an opaque token." })
        .ToArray());

    private static string Description(string comment, RpcMethod method)
    {
        var scope = method.IsPublic ? "Open to anyone." : $"Scope: `{method.Scope}`.";
        return comment.Length == 0 ? scope : $"{comment}\n\n{scope}";
    }

    private static JsonObject Responses(JsonObject content) => new()
    {
        ["200"] = new JsonObject { ["description"] = "Done.", ["content"] = content },
        ["default"] = new JsonObject { ["$ref"] = "#/components/responses/Problem" },
    };

    private static JsonObject PathParameter(string name, string comment)
    {
        var parameter = Parameter("path", Camel(name), new JsonObject { ["type"] = "string" }, comment);
        parameter["required"] = true;
        return parameter;
    }

    private static JsonObject Parameter(string place, string name, JsonObject schema, string comment)
    {
        var parameter = new JsonObject { ["name"] = name, ["in"] = place, ["schema"] = schema };
        SchemaBook.Describe(parameter, comment);
        return parameter;
    }

    private static FieldDescriptor? FindField(MessageDescriptor message, string path)
    {
        FieldDescriptor? field = null;
        foreach (var name in path.Split('.'))
        {
            field = message.FindFieldByName(name);
            if (field is null)
            {
                return null;
            }

            message = field.FieldType == FieldType.Message ? field.MessageType : message;
        }

        return field;
    }

    private static string Tag(Google.Protobuf.Reflection.ServiceDescriptor service) =>
        service.Name.EndsWith("Service", StringComparison.Ordinal) ? service.Name[..^7] : service.Name;

    private static string FirstSentence(string comment)
    {
        var line = comment.Replace('\n', ' ');
        var end = line.IndexOf(". ", StringComparison.Ordinal);
        return (end < 0 ? line : line[..end]).TrimEnd('.', ':');
    }

    private static string Camel(string name) => string.Join('.', name.Split('.').Select(part =>
        string.Concat(part.Split('_').Select((word, index) => index == 0 ? word : char.ToUpperInvariant(word[0]) + word[1..]))));

    private static JsonObject Content(string type, JsonObject schema) => new() { [type] = new JsonObject { ["schema"] = schema } };

    private static JsonObject Reference(string name) => new() { ["$ref"] = $"#/components/schemas/{name}" };

    [GeneratedRegex(@"\{([^}]+)\}")]
    private static partial Regex ParameterName();
}
