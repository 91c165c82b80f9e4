using System.Buffers;
using System.Text;
using Google.Protobuf;
using Lifecycle.Kernel;
using Lifecycle.Rpc.Rest;

namespace Lifecycle.Rpc;

/// <summary>
/// The JSON of the REST surface: proto3 JSON with lowerCamelCase names, enum names, RFC 3339 times and 64-bit integers as strings. Output
/// always shows plain fields, also at their default; messages and <c>optional</c> fields that are not set are left out.
/// </summary>
public static class ProtoJson
{
    private static readonly JsonParser Parser = new(JsonParser.Settings.Default);

    public static string Format(IMessage message)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        MessageWriter.Write(buffer, message);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>
    /// A message from JSON; INVALID_ARGUMENT names every fault: unknown fields, wrong types, enum names that are none, malformed JSON.
    /// </summary>
    public static Result<T> Parse<T>(string json)
        where T : IMessage<T>, new()
    {
        var message = new T();
        var violations = new Violations();
        JsonBinder.Bind(message, Encoding.UTF8.GetBytes(json), "", violations);
        return violations.ToError() is { } error ? error : message;
    }

    internal static void MergeInto(IMessage message, string json) =>
        message.MergeFrom(Parser.Parse(json, message.Descriptor).ToByteArray());
}
