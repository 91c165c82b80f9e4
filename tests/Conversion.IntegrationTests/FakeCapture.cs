using System.Collections.Concurrent;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Capture.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Touch = Lifecycle.Common.V1.Touch;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>The peer's side of the wire: answers as Capture does for the leads a test gives it, on a port of its own.</summary>
public sealed class FakeCapture(int port) : IAsyncDisposable
{
    private WebApplication? app;

    public string Address => $"http://127.0.0.1:{port}";

    public ConcurrentDictionary<string, Journey> Journeys { get; } = [];

    public ConcurrentDictionary<string, Lead> Leads { get; } = [];

    public async Task Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(this);
        app = builder.Build();
        app.MapGrpcService<Answers>();
        await app.StartAsync();
    }

    public async Task Stop()
    {
        if (app is not null)
        {
            await app.DisposeAsync();
            app = null;
        }
    }

    public void Know(Guid leadId, params Touch[] touches) =>
        Journeys[leadId.ToString()] = new Journey { LeadId = leadId.ToString(), Touches = { touches } };

    public static Touch Touch(string channel, DateTimeOffset time, string source = "", string campaign = "") =>
        new() { Channel = channel, Source = source, Campaign = campaign, Time = Timestamp.FromDateTimeOffset(time) };

    public async ValueTask DisposeAsync() => await Stop();

    private sealed class Answers(FakeCapture capture) : LeadService.LeadServiceBase
    {
        public override Task<Journey> GetJourney(GetJourneyRequest request, ServerCallContext context) => Task.FromResult(
            capture.Journeys.TryGetValue(request.Id, out var journey) ? journey : throw new RpcException(
                new Status(StatusCode.NotFound, "unknown")));

        public override Task<Lead> GetLead(GetLeadRequest request, ServerCallContext context) => Task.FromResult(
            capture.Leads.TryGetValue(request.Id, out var lead) ? lead : throw new RpcException(
                new Status(StatusCode.NotFound, "unknown")));
    }
}
