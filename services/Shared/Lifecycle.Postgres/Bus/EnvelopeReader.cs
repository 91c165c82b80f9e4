using System.Text.Json;
using MassTransit.Metadata;
using MassTransit.Serialization;

namespace Lifecycle.Postgres.Bus;

/// <summary>Reads MassTransit's JSON envelope, all but the message in it.</summary>
internal static class EnvelopeReader
{
    private static readonly JsonReaderOptions Options = new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip };

    /// <returns>
    /// The envelope, its message as the <c>ReadOnlyMemory&lt;byte&gt;</c> of its JSON; null when it lacks message or type, or has a member
    /// that MassTransit does not write.
    /// </returns>
    /// <exception cref="JsonException">Not JSON.</exception>
    /// <exception cref="InvalidOperationException">A member is of another kind.</exception>
    /// <exception cref="FormatException">A time is none.</exception>
    public static JsonMessageEnvelope? Read(ReadOnlyMemory<byte> bytes)
    {
        var reader = new Utf8JsonReader(bytes.Span, Options);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }

        var envelope = new JsonMessageEnvelope();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!ReadMember(ref reader, bytes, envelope))
            {
                return null;
            }
        }

        return envelope is { Message: not null, MessageType: not null } && reader.TokenType == JsonTokenType.EndObject && !reader.Read()
            ? envelope
            : null;
    }

    private static bool ReadMember(ref Utf8JsonReader reader, ReadOnlyMemory<byte> bytes, JsonMessageEnvelope envelope)
    {
        var name = reader.GetString();
        reader.Read();
        switch (name)
        {
            case "messageId":
                envelope.MessageId = reader.GetString();
                break;
            case "requestId":
                envelope.RequestId = reader.GetString();
                break;
            case "correlationId":
                envelope.CorrelationId = reader.GetString();
                break;
            case "conversationId":
                envelope.ConversationId = reader.GetString();
                break;
            case "initiatorId":
                envelope.InitiatorId = reader.GetString();
                break;
            case "sourceAddress":
                envelope.SourceAddress = reader.GetString();
                break;
            case "destinationAddress":
                envelope.DestinationAddress = reader.GetString();
                break;
            case "responseAddress":
                envelope.ResponseAddress = reader.GetString();
                break;
            case "faultAddress":
                envelope.FaultAddress = reader.GetString();
                break;
            case "messageType":
                envelope.MessageType = JsonSerializer.Deserialize<string[]>(ref reader);
                break;
            case "message" when reader.TokenType == JsonTokenType.StartObject:
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                envelope.Message = bytes[start..(int)reader.BytesConsumed];
                break;
            case "expirationTime":
                envelope.ExpirationTime = reader.TokenType == JsonTokenType.Null ? null : reader.GetDateTime();
                break;
            case "sentTime":
                envelope.SentTime = reader.TokenType == JsonTokenType.Null ? null : reader.GetDateTime();
                break;
            case "headers":
                envelope.Headers = JsonSerializer.Deserialize<Dictionary<string, object?>>(
                    ref reader, SystemTextJsonMessageSerializer.Options) ?? [];
                break;
            case "host":
                envelope.Host = JsonSerializer.Deserialize<BusHostInfo>(ref reader, SystemTextJsonMessageSerializer.Options);
                break;
            default:
                return false;
        }

        return true;
    }
}
