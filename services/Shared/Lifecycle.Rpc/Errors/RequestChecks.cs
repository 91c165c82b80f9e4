using System.Collections;
using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Kernel;

namespace Lifecycle.Rpc;

/// <summary>
/// Marks a method that looks at each item of its request by itself, so that a malformed one does not refuse its neighbours.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TakesItemsApartAttribute : Attribute;

/// <summary>
/// What the wire format lets pass and JSON does not know: times outside the years 1 to 9999 (a sender's milliseconds for seconds), values
/// without a kind, numbers that are none. Over REST no such message comes to be.
/// </summary>
public static class RequestChecks
{
    private const int MaxRequestIdLength = 255;

    // Those of the proto3 JSON mapping: 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z.
    private const long FirstSecond = -62_135_596_800;
    private const long LastSecond = 253_402_300_799;
    private const int NanosOfSecond = 1_000_000_000;

    private static readonly ConcurrentDictionary<MessageDescriptor, FieldDescriptor[]> Parts = new();

    /// <summary>A request id that is short enough to be kept.</summary>
    public static bool RequireRequestId(this Violations violations, string requestId) => violations.Require(
        requestId.Length <= MaxRequestIdLength, "requestId", $"A request id has at most {MaxRequestIdLength} characters.");

    /// <summary>Every such fault of a message, under the names of proto JSON.</summary>
    /// <param name="violations">Where the faults go.</param>
    /// <param name="message">The message.</param>
    /// <param name="path">Its own name; empty for the request.</param>
    public static void RequireWellFormed(this Violations violations, IMessage message, string path = "")
    {
        switch (message)
        {
            case Timestamp time:
                violations.Require(
                    time.Seconds is >= FirstSecond and <= LastSecond && time.Nanos is >= 0 and < NanosOfSecond, path,
                    $"{path} must be a time in the years 1 to 9999, in seconds since 1970 and nanoseconds.");
                return;
            case Value { KindCase: Value.KindOneofCase.None }:
                violations.Add(path, $"{path} has no value; an absent one is null_value.");
                return;
            case Value { KindCase: Value.KindOneofCase.NumberValue } number:
                violations.Require(double.IsFinite(number.NumberValue), path, $"{path} must be a finite number.");
                return;
            case Value { KindCase: Value.KindOneofCase.StructValue } members:
                violations.RequireWellFormed(members.StructValue, path);
                return;
            case Value { KindCase: Value.KindOneofCase.ListValue } list:
                RequireItems(violations, list.ListValue.Values, path);
                return;
            case Value:
                return;
            case Struct data:
                RequireMembers(violations, data.Fields, path);
                return;
        }

        foreach (var field in Parts.GetOrAdd(message.Descriptor, PartsOf))
        {
            var name = path.Length == 0 ? field.JsonName : $"{path}.{field.JsonName}";
            switch (field.Accessor.GetValue(message))
            {
                case IDictionary members:
                    RequireMembers(violations, members, name);
                    break;
                case IList items:
                    RequireItems(violations, items, name);
                    break;
                case IMessage part:
                    violations.RequireWellFormed(part, name);
                    break;
            }
        }
    }

    private static void RequireItems(Violations violations, IList items, string path)
    {
        for (var index = 0; index < items.Count; index++)
        {
            violations.RequireWellFormed((IMessage)items[index]!, $"{path}[{index}]");
        }
    }

    private static void RequireMembers(Violations violations, IDictionary members, string path)
    {
        foreach (DictionaryEntry member in members)
        {
            violations.RequireWellFormed((IMessage)member.Value!, path.Length == 0 ? $"{member.Key}" : $"{path}.{member.Key}");
        }
    }

    private static FieldDescriptor[] PartsOf(MessageDescriptor message) => message.Fields.InDeclarationOrder()
        .Where(field => field.IsMap
            ? field.MessageType.FindFieldByName("value").FieldType == FieldType.Message
            : field.FieldType == FieldType.Message)
        .ToArray();
}
