using System.Buffers;
using System.Collections;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Lifecycle.Rpc.Rest;

/// <summary>
/// Writes messages as proto3 JSON, compact and as UTF-8. Google's formatter writes text with blanks into a string first; its output and
/// this one mean the same, which a test holds.
/// </summary>
internal static class MessageWriter
{
    // The answers are JSON by their content type, never part of a page: nothing but JSON's own escapes is needed.
    private static readonly JsonWriterOptions Options =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private const long MinSeconds = -62_135_596_800;
    private const long MaxSeconds = 253_402_300_799;

    // Names in their written form, and what decides whether a field is written, once for each message type.
    private static readonly ConcurrentDictionary<MessageDescriptor, FieldPlan[]> Plans = [];

    public static void Write(IBufferWriter<byte> output, IMessage message)
    {
        using var json = new Utf8JsonWriter(output, Options);
        WriteMessage(json, message);
    }

    private static void WriteMessage(Utf8JsonWriter json, IMessage message)
    {
        if (message.Descriptor.File.Package == "google.protobuf")
        {
            WriteWellKnown(json, message);
            return;
        }

        json.WriteStartObject();
        foreach (var (field, name, hasPresence) in Plans.GetOrAdd(message.Descriptor, Plan))
        {
            if (hasPresence && !field.Accessor.HasValue(message))
            {
                continue;
            }

            json.WritePropertyName(name);
            var value = field.Accessor.GetValue(message);
            if (field.IsMap)
            {
                WriteMap(json, field, (IDictionary)value);
            }
            else if (field.IsRepeated)
            {
                json.WriteStartArray();
                foreach (var item in (IList)value)
                {
                    WriteValue(json, field, item!);
                }

                json.WriteEndArray();
            }
            else
            {
                WriteValue(json, field, value);
            }
        }

        json.WriteEndObject();
    }

    private static FieldPlan[] Plan(MessageDescriptor descriptor) =>
        [.. descriptor.Fields.InFieldNumberOrder().Select(
            field => new FieldPlan(field, JsonEncodedText.Encode(field.JsonName), field.HasPresence))];

    private static void WriteMap(Utf8JsonWriter json, FieldDescriptor field, IDictionary map)
    {
        var valueField = field.MessageType.FindFieldByNumber(2);
        json.WriteStartObject();
        foreach (DictionaryEntry entry in map)
        {
            json.WritePropertyName(entry.Key switch
            {
                bool key => key ? "true" : "false",
                var key => Convert.ToString(key, CultureInfo.InvariantCulture)!,
            });
            WriteValue(json, valueField, entry.Value!);
        }

        json.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter json, FieldDescriptor field, object value)
    {
        switch (value)
        {
            case IMessage message:
                WriteMessage(json, message);
                break;
            case string text:
                json.WriteStringValue(text);
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case double number:
                WriteNumber(json, number);
                break;
            case float number when float.IsFinite(number):
                json.WriteNumberValue(number);
                break;
            case float number:
                WriteNumber(json, number);
                break;
            case long or ulong:
                json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
            case uint number:
                json.WriteNumberValue(number);
                break;
            case ByteString bytes:
                json.WriteBase64StringValue(bytes.Span);
                break;
            case int number when field.FieldType != FieldType.Enum:
                json.WriteNumberValue(number);
                break;
            default:
                var numeric = (int)value;
                if (field.FieldType == FieldType.Enum && field.EnumType.FindValueByNumber(numeric) is { } named)
                {
                    json.WriteStringValue(named.Name);
                }
                else
                {
                    json.WriteNumberValue(numeric);
                }

                break;
        }
    }

    private static void WriteNumber(Utf8JsonWriter json, double number)
    {
        if (double.IsFinite(number))
        {
            json.WriteNumberValue(number);
        }
        else
        {
            json.WriteStringValue(double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
        }
    }

    private static void WriteWellKnown(Utf8JsonWriter json, IMessage message)
    {
        switch (message)
        {
            case Struct fields:
                json.WriteStartObject();
                foreach (var (name, value) in fields.Fields)
                {
                    json.WritePropertyName(name);
                    WriteDynamic(json, value);
                }

                json.WriteEndObject();
                break;
            case ListValue list:
                WriteList(json, list);
                break;
            case Value value:
                WriteDynamic(json, value);
                break;
            case Timestamp time:
                WriteTime(json, time);
                break;
            case Empty:
                json.WriteStartObject();
                json.WriteEndObject();
                break;
            default:
                // Durations, masks and wrappers: one scalar each.
                json.WriteRawValue(JsonFormatter.Default.Format(message));
                break;
        }
    }

    // As proto3 JSON has it: UTC with 0, 3, 6 or 9 digits of a second. Lists carry thousands.
    private static void WriteTime(Utf8JsonWriter json, Timestamp time)
    {
        if (time.Seconds is < MinSeconds or > MaxSeconds || time.Nanos is < 0 or > 999_999_999)
        {
            throw new InvalidOperationException("A time lies outside of the years 1 to 9999.");
        }

        Span<char> text = stackalloc char[30];
        DateTime.UnixEpoch.AddSeconds(time.Seconds).TryFormat(text, out var length, "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture);
        if (time.Nanos != 0)
        {
            text[length++] = '.';
            var (fraction, format) = time.Nanos switch
            {
                var nanos when nanos % 1_000_000 == 0 => (nanos / 1_000_000, "000"),
                var nanos when nanos % 1_000 == 0 => (nanos / 1_000, "000000"),
                var nanos => (nanos, "000000000"),
            };
            fraction.TryFormat(text[length..], out var digits, format, CultureInfo.InvariantCulture);
            length += digits;
        }

        text[length++] = 'Z';
        json.WriteStringValue(text[..length]);
    }

    private static void WriteDynamic(Utf8JsonWriter json, Value value)
    {
        switch (value.KindCase)
        {
            case Value.KindOneofCase.StringValue:
                json.WriteStringValue(value.StringValue);
                break;
            case Value.KindOneofCase.NumberValue:
                WriteNumber(json, value.NumberValue);
                break;
            case Value.KindOneofCase.BoolValue:
                json.WriteBooleanValue(value.BoolValue);
                break;
            case Value.KindOneofCase.StructValue:
                WriteWellKnown(json, value.StructValue);
                break;
            case Value.KindOneofCase.ListValue:
                WriteList(json, value.ListValue);
                break;
            default:
                json.WriteNullValue();
                break;
        }
    }

    private static void WriteList(Utf8JsonWriter json, ListValue list)
    {
        json.WriteStartArray();
        foreach (var item in list.Values)
        {
            WriteDynamic(json, item);
        }

        json.WriteEndArray();
    }

    private readonly record struct FieldPlan(FieldDescriptor Field, JsonEncodedText Name, bool HasPresence);
}
