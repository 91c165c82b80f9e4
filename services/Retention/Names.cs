using Google.Protobuf.Reflection;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.V1;

namespace Lifecycle.Retention;

/// <summary>
/// Names of enum values as the API, imports and events write them: <c>CROSS_SELL</c>. Domain and proto enums share their numbers.
/// </summary>
internal static class Names
{
    public static string Of(RevenueType type) => Of((Revenue.Types.Type)(int)type);

    public static string Of(Recurrence recurrence) => Of((Revenue.Types.Recurrence)(int)recurrence);

    public static string Of(SurveyType type) => Of((Survey.Types.Type)(int)type);

    /// <summary>The value's name in its proto.</summary>
    public static string Of<TEnum>(TEnum value)
        where TEnum : struct, Enum => OriginalNames<TEnum>.ByValue.GetValueOrDefault(value, "");

    public static bool TryParse<TEnum>(string? name, out TEnum value)
        where TEnum : struct, Enum => OriginalNames<TEnum>.ByName.TryGetValue(name ?? "", out value);

    /// <summary>All names but the unspecified one, for error messages.</summary>
    public static string Known<TEnum>()
        where TEnum : struct, Enum => string.Join(", ", OriginalNames<TEnum>.ByName.Keys);

    private static class OriginalNames<TEnum>
        where TEnum : struct, Enum
    {
        public static readonly Dictionary<TEnum, string> ByValue = Enum.GetValues<TEnum>().Where(value => Convert.ToInt32(value, null) != 0)
            .ToDictionary(value => value, value => typeof(TEnum).GetField(value.ToString())!
                .GetCustomAttributes(typeof(OriginalNameAttribute), false).Cast<OriginalNameAttribute>().Single().Name);

        public static readonly Dictionary<string, TEnum> ByName = ByValue.ToDictionary(
            pair => pair.Value, pair => pair.Key, StringComparer.OrdinalIgnoreCase);
    }
}
