using System.Reflection;
using System.Text.Json;
using Lifecycle.Contracts;

namespace Lifecycle.ContractTests;

/// <summary>One instance of every event, every member filled with a value that only depends on the member's name and type.</summary>
internal static class EventSamples
{
    private static readonly DateTimeOffset Time = new(2026, 3, 29, 1, 30, 15, 250, TimeSpan.Zero);

    public static IEnumerable<Type> EventTypes { get; } = typeof(ILifecycleEvent).Assembly.GetExportedTypes()
        .Where(type => type is { IsClass: true, IsAbstract: false } && type.IsAssignableTo(typeof(ILifecycleEvent)))
        .OrderBy(type => type.Name, StringComparer.Ordinal);

    public static object Create(Type type) => Value(type, type.Name);

    private static object Value(Type type, string name)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type switch
        {
            _ when type == typeof(string) => $"a {name}",
            _ when type == typeof(Guid) => new Guid(1, 2, 3, [4, 5, 6, 7, 8, 9, 10, (byte)name.Length]),
            _ when type == typeof(DateTimeOffset) => Time,
            _ when type == typeof(DateOnly) => new DateOnly(2026, 3, 29),
            _ when type == typeof(decimal) => 12.50m,
            _ when type == typeof(int) => 7,
            _ when type == typeof(long) => 9L,
            _ when type == typeof(bool) => true,
            _ when type == typeof(JsonElement) => JsonSerializer.SerializeToElement(new { deep = 1 }),
            { IsGenericType: true } when type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) =>
                List(type.GenericTypeArguments[0], name),
            { IsGenericType: true } when type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>) =>
                Map(type.GenericTypeArguments[1]),
            _ => Record(type),
        };
    }

    private static object Record(Type type)
    {
        var constructor = type.GetConstructors().OrderByDescending(one => one.GetParameters().Length).First();
        return constructor.Invoke([.. constructor.GetParameters().Select(parameter => Value(parameter.ParameterType, parameter.Name!))]);
    }

    private static Array List(Type element, string name)
    {
        var list = Array.CreateInstance(element, 1);
        list.SetValue(Value(element, name), 0);
        return list;
    }

    private static object Map(Type value) => typeof(EventSamples).GetMethod(nameof(MapOf), BindingFlags.NonPublic | BindingFlags.Static)!
        .MakeGenericMethod(value).Invoke(null, null)!;

    private static Dictionary<string, T> MapOf<T>() => new() { ["key"] = (T)Value(typeof(T), "value") };
}
