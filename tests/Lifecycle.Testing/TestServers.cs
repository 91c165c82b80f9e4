namespace Lifecycle.Testing;

/// <summary>
/// The real servers that integration tests use, named by environment variables. A missing one skips the test on a developer's machine and
/// fails it where <c>CI</c> is <c>true</c>.
/// </summary>
public static class TestServers
{
    /// <summary>Npgsql string of an administrator.</summary>
    public static string Postgres => Required("LIFECYCLE_TEST_POSTGRES");

    /// <summary><c>amqp://user:password@host:port</c>.</summary>
    public static Uri RabbitMq => new(Required("LIFECYCLE_TEST_RABBITMQ"));

    /// <summary><c>http://user:password@host:port</c> of the management API.</summary>
    public static Uri RabbitMqManagement => new(Required("LIFECYCLE_TEST_RABBITMQ_MANAGEMENT"));

    internal static string Missing(string what) => Skip($"{what} is missing; ./test sets it up.");

    private static string Required(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : Missing(variable);

    private static string Skip(string reason) =>
        throw (string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase)
            ? new InvalidOperationException(reason)
            : new ServerMissingException(reason));

    /// <summary>xunit reads the token at the start of the message, and skips the test.</summary>
    private sealed class ServerMissingException(string reason) : Exception("$XunitDynamicSkip$" + reason);
}
