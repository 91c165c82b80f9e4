using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Lifecycle.Rpc.Rest;

/// <summary>Fills a request message from path, query, body and Idempotency-Key, collecting every fault.</summary>
internal sealed class RequestBinder(RpcMethod method)
{
    public const string IdempotencyHeader = "Idempotency-Key";

    private readonly MessageDescriptor input = method.Descriptor.InputType;
    private readonly RestBinding rest = method.Rest!;
    private readonly FieldDescriptor? bodyField = method.Rest!.Body is "" or "*"
        ? null
        : method.Descriptor.InputType.FindFieldByName(method.Rest.Body)
            ?? throw new ArgumentException(
                $"{method.FullName}: the body field {method.Rest.Body} is not in {method.Descriptor.InputType.FullName}.");
    private readonly FieldDescriptor? requestId = method.Descriptor.InputType.FindFieldByName("request_id");
    private readonly FieldDescriptor? updateMask = method.Descriptor.InputType.FindFieldByName("update_mask");

    /// <summary>Null when the message is bound; else the problem to answer.</summary>
    public async Task<Problem?> Bind(IMessage message, HttpContext http)
    {
        var violations = new Violations();
        var (body, problem) = await ReadBody(http);
        if (problem is not null)
        {
            return problem;
        }

        if (rest.Body.Length == 0)
        {
            violations.Require(IsNothing(body), "", $"{rest.Verb} {rest.Path} takes no body.");
        }
        else if (bodyField is null)
        {
            JsonBinder.Bind(message, body, "", violations, updateMask is null ? null : SetMask(message));
        }
        else
        {
            var part = (IMessage)Activator.CreateInstance(bodyField.MessageType.ClrType)!;
            JsonBinder.Bind(part, body, "", violations, updateMask is null ? null : SetMask(message));
            bodyField.Accessor.SetValue(message, part);
        }

        var fromUrl = new JsonObject();
        foreach (var (name, value) in http.Request.RouteValues)
        {
            // Routing decodes all but the slash, which would cut the path.
            QueryBinder.Set(fromUrl, input, name, [(value as string)?.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase)], violations);
        }

        foreach (var (name, values) in http.Request.Query)
        {
            if (rest.Body == "*")
            {
                violations.Add(name, $"{name} belongs in the body, not in the query.");
            }
            else
            {
                QueryBinder.Set(fromUrl, input, name, values, violations);
            }
        }

        if (fromUrl.Count > 0)
        {
            JsonBinder.Bind(message, Encoding.UTF8.GetBytes(fromUrl.ToJsonString()), "", violations);
        }

        BindRequestId(message, http, violations);
        return violations.ToError() is { } error ? Problem.From(error, http) : null;
    }

    /// <summary>A PATCH without a mask changes the fields that its body shows (AIP-134).</summary>
    private Action<IReadOnlyList<string>> SetMask(IMessage message) => names =>
    {
        var mask = new FieldMask();
        mask.Paths.AddRange(names.Where(name => name is not ("update_mask" or "request_id")));
        if (!names.Contains("update_mask"))
        {
            updateMask!.Accessor.SetValue(message, mask);
        }
    };

    private void BindRequestId(IMessage message, HttpContext http, Violations violations)
    {
        if (requestId is null)
        {
            return;
        }

        var header = http.Request.Headers[IdempotencyHeader].ToString();
        var given = (string)requestId.Accessor.GetValue(message);
        if (header.Length > 0)
        {
            violations.Require(
                given.Length == 0 || given == header, "requestId", $"requestId differs from the header {IdempotencyHeader}.");
            requestId.Accessor.SetValue(message, header);
            given = header;
        }

        violations.RequireRequestId(given);
    }

    private async Task<(byte[] Body, Problem? Problem)> ReadBody(HttpContext http)
    {
        var request = http.Request;
        var feature = http.Features.Get<IHttpRequestBodyDetectionFeature>();
        if (feature is { CanHaveBody: false } || request.ContentLength == 0)
        {
            return ([], null);
        }

        var bounds = http.RequestServices.GetRequiredService<IOptions<RpcOptions>>().Value;
        var max = method.TakesLargeBody ? bounds.MaxLargeBodyBytes : bounds.MaxBodyBytes;
        if (request.ContentLength > max)
        {
            return ([], TooLarge(http, max));
        }

        var read = await ReadAll(request.BodyReader, max, http.RequestAborted);
        if (read is null)
        {
            return ([], TooLarge(http, max));
        }

        if (read.Length > 0 && AcceptedTypes.EncodingFault(http) is { } encoded)
        {
            return ([], encoded);
        }

        if (read.Length > 0 && !IsJson(request.ContentType))
        {
            return ([], Problem.ForStatus(http, StatusCodes.Status415UnsupportedMediaType, "The body must be application/json."));
        }

        return (read, null);
    }

    private static Problem TooLarge(HttpContext http, int max) =>
        Problem.ForStatus(http, StatusCodes.Status413PayloadTooLarge, $"The body is larger than {max} bytes.");

    private static async Task<byte[]?> ReadAll(PipeReader reader, int max, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            if (read.Buffer.Length > max)
            {
                // A reader left in the middle of a read would break the connection for the next request.
                reader.AdvanceTo(read.Buffer.End);
                return null;
            }

            if (read.IsCompleted)
            {
                var body = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return body;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static bool IsJson(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase))
        && (type.Charset.Length == 0 || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase));

    private static bool IsNothing(byte[] body) => Encoding.UTF8.GetString(body).Trim() is "" or "{}";
}
