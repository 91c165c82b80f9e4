using Google.Protobuf;
using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.Http;

namespace Lifecycle.Rpc.Rest;

/// <summary>
/// Streams that can be taken up again: a message's field <c>resume_token</c> is the id of the server-sent event, and the header
/// <c>Last-Event-ID</c>, which readers send by themselves when they connect again, is the request's field of that name.
/// </summary>
internal static class StreamResumption
{
    private const string Header = "Last-Event-ID";
    private const string FieldName = "resume_token";

    /// <summary>The message's token; null: it has none, or one that an event's id cannot carry.</summary>
    public static string? TokenOf(IMessage message) =>
        Field(message)?.Accessor.GetValue(message) is string { Length: > 0 } token && !token.AsSpan().ContainsAny('\r', '\n', '\0')
            ? token
            : null;

    /// <summary>Gives the request the header's token, unless it names one itself.</summary>
    public static void Take(IMessage request, HttpContext http)
    {
        var token = http.Request.Headers[Header].ToString();
        if (token.Length > 0 && Field(request) is { } field && field.Accessor.GetValue(request) is "")
        {
            field.Accessor.SetValue(request, token);
        }
    }

    private static FieldDescriptor? Field(IMessage message) =>
        message.Descriptor.FindFieldByName(FieldName) is { FieldType: FieldType.String, IsRepeated: false } field ? field : null;
}
