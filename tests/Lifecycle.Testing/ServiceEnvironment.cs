namespace Lifecycle.Testing;

/// <summary>The environment variables of a service process.</summary>
public static class ServiceEnvironment
{
    /// <param name="database">Its database.</param>
    /// <param name="broker">Its virtual host.</param>
    /// <param name="redis">Its Redis, for the services that use one.</param>
    public static Dictionary<string, string> For(TestDatabase database, TestVirtualHost broker, TestRedis? redis = null)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["ConnectionStrings__lifecycle"] = database.ConnectionString,
            ["ConnectionStrings__rabbitmq"] = broker.ConnectionString,
            ["Lifecycle__IdentitySecret"] = IdentityTokens.Secret,
            ["Lifecycle__DatabasePassword"] = TestDatabase.RolePassword,
            ["DOTNET_ENVIRONMENT"] = "Production",
            ["Logging__LogLevel__Default"] = "Information",
            // The servers of the tests are shared by many processes.
            ["Lifecycle__Database__MaxPoolSize"] = "10",
        };
        if (redis is not null)
        {
            environment["ConnectionStrings__redis"] = redis.ConnectionString;
        }

        return environment;
    }
}
