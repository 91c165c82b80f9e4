using System.ComponentModel.DataAnnotations;

namespace Lifecycle.Postgres;

/// <summary>Section <c>Lifecycle:Database</c>.</summary>
public sealed class DatabaseOptions
{
    public const string Section = "Lifecycle:Database";

    /// <summary>Connections of one process. Postgres allows 100 for all of them by default.</summary>
    [Range(4, 500)]
    public int MaxPoolSize { get; set; } = 20;

    /// <summary>Statements that are prepared after their fifth use on a connection.</summary>
    [Range(0, 1000)]
    public int MaxAutoPrepare { get; set; } = 50;

    [Range(1, 3600)]
    public int CommandTimeoutSeconds { get; set; } = 30;

    /// <summary>How long a <c>--migrate</c> run waits for the server.</summary>
    [Range(1, 3600)]
    public int WaitForServerSeconds { get; set; } = 120;
}

/// <summary>The one database of a process.</summary>
/// <param name="Schema">Schema of the service.</param>
/// <param name="ContextType">Its EF context.</param>
internal sealed record LifecycleDatabase(string Schema, Type ContextType);
