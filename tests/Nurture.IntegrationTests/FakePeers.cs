using System.Collections.Concurrent;
using Grpc.Core;
using Lifecycle.Capture.V1;
using Lifecycle.Conversion.V1;
using Lifecycle.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Nurture.IntegrationTests;

/// <summary>What steps of programs speak to: Capture and Conversion on one port, receivers of webhooks on another.</summary>
internal sealed partial class FakePeers : IAsyncDisposable
{
    private readonly int[] ports = FreePorts.Find(2);
    private WebApplication? app;

    public string Address => $"http://127.0.0.1:{ports[0]}";

    public ConcurrentQueue<UpdateLeadRequest> Updates { get; } = [];

    public ConcurrentQueue<MoveLeadStageRequest> Moves { get; } = [];

    /// <summary>Webhooks by the path that they went to.</summary>
    public ConcurrentQueue<(string Path, string Id, string Timestamp, string Signature, string Body)> Webhooks { get; } = [];

    public string WebhookUrl(string path) => $"http://127.0.0.1:{ports[1]}{path}";

    public async Task Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenLocalhost(ports[0], listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.ListenLocalhost(ports[1], listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(this);
        app = builder.Build();
        app.MapGrpcService<Leads>();
        app.MapGrpcService<Stages>();
        app.MapPost("/hooks/{**path}", Receive);
        await app.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (app is not null)
        {
            await app.DisposeAsync();
        }
    }

    private async Task<IResult> Receive(HttpRequest request)
    {
        using var reader = new StreamReader(request.Body);
        var headers = request.Headers;
        Webhooks.Enqueue((
            request.Path.ToString(), headers["webhook-id"].ToString(), headers["webhook-timestamp"].ToString(),
            headers["webhook-signature"].ToString(), await reader.ReadToEndAsync()));
        return Results.Ok();
    }

    private sealed partial class Leads(FakePeers peers) : LeadService.LeadServiceBase
    {
        public override Task<Lead> UpdateLead(UpdateLeadRequest request, ServerCallContext context)
        {
            peers.Updates.Enqueue(request);
            return Task.FromResult(new Lead { Id = request.Id });
        }
    }

    private sealed class Stages(FakePeers peers) : StageService.StageServiceBase
    {
        public override Task<LeadStage> MoveLeadStage(MoveLeadStageRequest request, ServerCallContext context)
        {
            peers.Moves.Enqueue(request);
            return Task.FromResult(new LeadStage { LeadId = request.LeadId });
        }
    }
}
