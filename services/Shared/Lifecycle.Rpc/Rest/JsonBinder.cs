using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Lifecycle.Kernel;

namespace Lifecycle.Rpc.Rest;

/// <summary>JSON into a message: first every fault is collected by walking the text along the descriptor, only then is it parsed.</summary>
internal static class JsonBinder
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 64 };

    /// <summary>Merges the JSON into the message unless it has faults. Nothing at all counts as <c>{}</c>.</summary>
    /// <param name="message">Filled.</param>
    /// <param name="utf8">JSON text.</param>
    /// <param name="path">Path under which faults are named.</param>
    /// <param name="violations">Gets the faults.</param>
    /// <param name="seen">Gets the proto names of the fields that the object shows, before the message is filled.</param>
    public static void Bind(
        IMessage message, ReadOnlyMemory<byte> utf8, string path, Violations violations, Action<IReadOnlyList<string>>? seen = null)
    {
        if (utf8.Span.Trim(" \t\r\n"u8).IsEmpty)
        {
            seen?.Invoke([]);
            return;
        }

        try
        {
            using var document = JsonDocument.Parse(utf8, Strict);
            var before = violations.Found.Count;
            JsonFaults.CheckMessage(message.Descriptor, document.RootElement, path, violations);
            if (violations.Found.Count == before)
            {
                seen?.Invoke(document.RootElement.EnumerateObject()
                    .Select(property => JsonFaults.FindField(message.Descriptor, property.Name)!.Name).ToArray());
                ProtoJson.MergeInto(message, Encoding.UTF8.GetString(utf8.Span));
            }
        }
        catch (JsonException exception)
        {
            violations.Add(path, $"The JSON is malformed at line {exception.LineNumber + 1}, position {exception.BytePositionInLine + 1}.");
        }
        catch (Exception exception) when (exception is InvalidProtocolBufferException or InvalidJsonException)
        {
            violations.Add(path, $"The JSON does not fit {message.Descriptor.Name}.");
        }
    }
}
