using System.Globalization;
using System.Text.Json;
using Lifecycle.Kernel;

namespace Lifecycle.Conversion.Domain.Crm;

/// <summary>How records of a CRM are read.</summary>
/// <param name="Items">Pointer to the record or an array of them.</param>
/// <param name="Fields">Our field → pointer into the record.</param>
/// <param name="Stages">Stage as the CRM spells it → ours; compared without case.</param>
public sealed record CrmMapping(string Items, IReadOnlyDictionary<string, string> Fields, IReadOnlyDictionary<string, string> Stages)
{
    /// <summary>Most records of one message or page.</summary>
    public const int MaxItems = 1000;

    /// <summary>Fields of deals, as imports name them, and when the CRM changed the record.</summary>
    public static IReadOnlyList<string> DealFields { get; } =
    [
        "externalId", "name", "amount", "currency", "owner", "product", "account", "stage", "createTime", "closeTime", "expectedCloseDate",
        "loseReason", "competitor", "leadId", "leadEmail", "pipeline",
    ];

    /// <summary>Fields of leads.</summary>
    public static IReadOnlyList<string> LeadFields { get; } = ["leadId", "leadEmail", "stage", "reason", "note", "owner"];

    public const string ChangeTime = "changeTime";

    private static readonly HashSet<string> Known = [.. DealFields, .. LeadFields, ChangeTime];

    /// <summary>Names every fault under <paramref name="field"/>.</summary>
    public void Check(string field, Violations violations)
    {
        violations.Require(JsonPointer.IsSound(Items), $"{field}.items", $"{field}.items must be a JSON pointer such as /data.");
        violations.Require(Stages.Count <= 200, $"{field}.stages", $"{field}.stages has {Stages.Count} stages; at most 200 are accepted.");
        foreach (var (name, pointer) in Fields)
        {
            violations.Require(
                Known.Contains(name), $"{field}.fields",
                    $"{name} is no field; known are {string.Join(", ", Known.Order(StringComparer.Ordinal))}.");
            violations.Require(
                pointer.Length > 0 && JsonPointer.IsSound(pointer), $"{field}.fields",
                    $"{name}: {pointer} is no JSON pointer such as /amount/value.");
        }
    }

    /// <summary>The records of a message. Errors: INVALID_ARGUMENT where there is neither a record nor an array, or more than
    /// <see cref="MaxItems"/>.</summary>
    public Result<JsonElement[]> Records(JsonElement message)
    {
        var found = JsonPointer.Find(message, Items);
        var where = Items.Length == 0 ? "The body" : Items;
        return found switch
        {
            { ValueKind: JsonValueKind.Array } array when array.GetArrayLength() > MaxItems =>
                Error.Invalid("items", $"{where} holds {array.GetArrayLength()} records; at most {MaxItems} are accepted."),
            { ValueKind: JsonValueKind.Array } array => array.EnumerateArray().ToArray(),
            { ValueKind: JsonValueKind.Object } one => new[] { one },
            _ => Error.Invalid("items", $"{where} holds no record."),
        };
    }

    /// <summary>The texts of a record by our names; stages as ours.</summary>
    public IReadOnlyDictionary<string, string?> Values(JsonElement record, IEnumerable<string> names)
    {
        var values = names.ToDictionary(name => name, name => JsonPointer.Text(JsonPointer.Find(record, Pointer(name))),
            StringComparer.Ordinal);
        if (values.GetValueOrDefault("stage") is { } stage)
        {
            var ours = Stages.FirstOrDefault(pair => pair.Key.Equals(stage.Trim(), StringComparison.OrdinalIgnoreCase)).Value;
            values["stage"] = ours ?? stage;
        }

        return values;
    }

    /// <summary>When the CRM changed the record: RFC 3339 text, or seconds or milliseconds since 1970. Null where it does not
    /// tell.</summary>
    public DateTimeOffset? Time(JsonElement record)
    {
        var text = JsonPointer.Text(JsonPointer.Find(record, Pointer(ChangeTime)));
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return number < 100_000_000_000
                ? DateTimeOffset.FromUnixTimeSeconds(number)
                : number < 253_402_300_799_000 ? DateTimeOffset.FromUnixTimeMilliseconds(number) : null;
        }

        return DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time
                : null;
    }

    private string Pointer(string name) => Fields.TryGetValue(name, out var pointer) ? pointer : "/" + name;
}
