using System.Collections.Frozen;
using System.Text.Json;
using Lifecycle.Contracts;
using Lifecycle.Postgres.Model;
using MassTransit.Serialization;

namespace Lifecycle.Postgres.Outbox;

/// <summary>The events of the Contracts assembly by name, and their form in the outbox.</summary>
internal static class EventTypes
{
    /// <summary>How MassTransit writes messages, decimals as strings, but without line breaks.</summary>
    public static readonly JsonSerializerOptions Broker = new(SystemTextJsonMessageSerializer.Options) { WriteIndented = false };

    /// <summary>Reads decimals as numbers, as rows of earlier releases have them, and as strings.</summary>
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private static readonly FrozenDictionary<string, Type> ByName = typeof(ILifecycleEvent).Assembly.GetExportedTypes()
        .Where(type => type is { IsAbstract: false, IsInterface: false } && type.IsAssignableTo(typeof(ILifecycleEvent)))
        .ToFrozenDictionary(type => type.Name, StringComparer.Ordinal);

    public static IEnumerable<Type> All => ByName.Values;

    public static Type? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>The event as the broker gets it.</summary>
    public static string Serialize(ILifecycleEvent e) => JsonSerializer.Serialize(e, e.GetType(), Broker);

    public static ILifecycleEvent Deserialize(string type, string body) =>
        (ILifecycleEvent?)JsonSerializer.Deserialize(body, Find(type) ?? throw new EventNotKnownException(type), Json)
        ?? throw new JsonException($"The body of a {type} is null.");

    /// <summary><c>LeadCaptured</c> → <c>lead-captured</c>.</summary>
    public static string Kebab(Type type) => SnakeCaseNames.ToSnakeCase(type.Name).Replace('_', '-');
}

/// <summary>A row names an event that this version of the service does not know.</summary>
internal sealed class EventNotKnownException(string type) : Exception($"No event is named {type}.");
