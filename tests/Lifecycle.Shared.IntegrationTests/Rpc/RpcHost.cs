using System.Net;
using Grpc.Net.Client;
using Lifecycle.Rpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Lifecycle.Shared.IntegrationTests.Rpc;

/// <summary>The parcel service on Kestrel: HTTP/1.1 and h2c on ports of its own. Collects what it logs as errors.</summary>
public sealed class RpcHost : IAsyncLifetime
{
    private WebApplication? app;

    public static Caller Reader { get; } = new(
        Guid.Parse("0195a000-0000-7000-8000-000000000001"), TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"), "EUR", "key:7",
        new HashSet<string> { "capture:read" });

    public static Caller Writer { get; } = Reader with { Scopes = new HashSet<string> { "capture:read", "capture:write" } };

    public HttpClient Http { get; } = new();

    public GrpcChannel Channel { get; private set; } = null!;

    public List<string> Errors { get; } = [];

    public IdentityToken Tokens => app!.Services.GetRequiredService<IdentityToken>();

    public RpcCalls Calls => app!.Services.GetRequiredService<RpcCalls>();

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Lifecycle:IdentitySecret"] = Convert.ToBase64String(new byte[32]),
            ["Rpc:MaxBodyBytes"] = "20000",
            ["Rpc:HeartbeatSeconds"] = "1",
        });
        builder.Logging.ClearProviders().AddProvider(new ErrorLog(Errors));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.AddLifecycleRpc();
        app = builder.Build();
        app.UseLifecycleRpc();
        app.MapRpcService<ParcelGrpcService>();
        app.MapGet("/open", () => "open").AllowPublic();
        app.MapGet("/scoped", (HttpContext context) => context.Caller().CurrencyCode).RequireScope("capture:read");
        app.MapGet("/forgotten", () => "never");
        await app.StartAsync();
        var urls = app.Urls.ToArray();
        Http.BaseAddress = new Uri(urls[0]);
        Channel = GrpcChannel.ForAddress(urls[1]);
    }

    /// <summary>A REST call with the caller's token.</summary>
    public async Task<Answer> Send(
        HttpMethod method, string path, Caller? caller = null, HttpContent? body = null, Action<HttpRequestMessage>? also = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        if (caller is not null)
        {
            request.Headers.Add(IdentityToken.Header, Tokens.Issue(caller));
        }

        also?.Invoke(request);
        using var response = await Http.SendAsync(request);
        return new(
            (int)response.StatusCode, response.Content.Headers.ContentType?.MediaType ?? "", await response.Content.ReadAsStringAsync(),
            response.Headers.ToDictionary(
                header => header.Key, header => string.Join(",", header.Value), StringComparer.OrdinalIgnoreCase));
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        Channel.Dispose();
        await app!.DisposeAsync();
    }

    private sealed class ErrorLog(List<string> errors) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                lock (errors)
                {
                    errors.Add($"{formatter(state, exception)} {exception?.Message}");
                }
            }
        }

        public void Dispose()
        {
        }
    }
}

/// <summary>A REST answer, read whole.</summary>
public sealed record Answer(int Status, string Type, string Body, IReadOnlyDictionary<string, string> Headers);
