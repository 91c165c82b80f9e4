using System.Buffers;
using System.Collections;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Lifecycle.Rpc.Rest;

/// <summary>
/// Writes messages as proto3 JSON, compact and as UTF-8. Google's formatter writes text with blanks into a string first; its output and this one
/// mean the same, which a test holds.
/// </summary>
internal static class MessageWriter
{
    // The answers are JSON by their content type, never part of a page: nothing but JSON's own escapes is needed.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

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
        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder())
        {
            if (field.HasPresence && !field.Accessor.HasValue(message))
            {
                continue;
            }

            json.WritePropertyName(field.JsonName);
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
            case Empty:
                json.WriteStartObject();
                json.WriteEndObject();
                break;
            default:
                // Times, durations, masks and wrappers: one scalar each.
                json.WriteRawValue(JsonFormatter.Default.Format(message));
                break;
        }
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
}
