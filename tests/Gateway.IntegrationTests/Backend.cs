using System.Net;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Capture.V1;
using Lifecycle.Common.V1;
using Lifecycle.Gateway.Scorecard;
using Lifecycle.Kernel;
using Lifecycle.Rpc;
using Lifecycle.Scoring.V1;
using Lifecycle.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Lifecycle.Gateway.IntegrationTests;

/// <summary>Stands where the services stand, with the suite's own RPC surface, and answers with what reached it.</summary>
internal sealed class Backend(string service) : IAsyncDisposable
{
    private WebApplication? app;

    public string Service => service;

    public int Port { get; private set; } = FreePorts.Find(1)[0];

    public async Task Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration["Lifecycle:IdentitySecret"] = IdentityTokens.Secret;
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, Port, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.AddLifecycleRpc();
        app = builder.Build();
        app.UseLifecycleRpc();
        app.MapRpcService<Leads>();
        app.MapRpcService<Ingest>();
        app.MapRpcService<Metrics>();
        app.MapRpcService<Scores>();
        app.MapPost("/v1/batch", (Delegate)Tell).RequireScope("capture:write");
        app.MapPost("/v1/calls", (Delegate)Tell).RequireScope("capture:write");
        app.MapPost("/v1/chats", (Delegate)Tell).RequireScope("capture:write");
        app.MapGet("/e/o/{token}", (Delegate)Tell).AllowPublic();
        app.MapPost("/v1/crm/{token}/inbound", (Delegate)Tell).AllowPublic();
        app.MapGet("/v1/exports/offlineConversions", (Delegate)Tell).RequireScope("conversion:read");
        await app.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (app is not null)
        {
            await app.DisposeAsync();
        }
    }

    private static async Task<IResult> Tell(HttpContext context)
    {
        var body = await new StreamReader(context.Request.Body).ReadToEndAsync();
        return Results.Json(new
        {
            workspace = context.Features.Get<Caller>()?.WorkspaceId,
            query = context.Request.QueryString.Value,
            forwardedFor = context.Request.Headers["X-Forwarded-For"].ToString(),
            authorization = context.Request.Headers.Authorization.ToString(),
            length = body.Length,
        });
    }

    private sealed class Leads : LeadService.LeadServiceBase
    {
        public override Task<Lead> GetLead(GetLeadRequest request, ServerCallContext context)
        {
            var caller = context.Caller();
            return request.Id switch
            {
                "unknown" => throw RpcErrors.ToException(Error.NotFound("Lead", request.Id)),
                _ => Task.FromResult(new Lead
                {
                    Id = request.Id,
                    ExternalId = caller.WorkspaceId.ToString(),
                    Email = $"{caller.Actor} {caller.TimeZone.Id} {caller.CurrencyCode}"
                }),
            };
        }

        public override async Task<ImportResponse> ImportLeads(IAsyncStreamReader<ImportChunk> requestStream, ServerCallContext context)
        {
            var response = new ImportResponse();
            await foreach (var row in ImportRows.Read(requestStream, context.CancellationToken))
            {
                response.Created++;
            }

            return response;
        }

        public override Task<Empty> DeleteLead(DeleteLeadRequest request, ServerCallContext context) => Task.FromResult(new Empty());
    }

    private sealed class Ingest : IngestService.IngestServiceBase
    {
        public override Task<BatchResponse> Batch(BatchRequest request, ServerCallContext context) =>
            Task.FromResult(new BatchResponse { Accepted = request.Batch.Count });
    }

    private sealed class Scores : ScoringService.ScoringServiceBase
    {
        /// <summary>Tells the workspace and the token it was given, and stays silent from then on.</summary>
        public override async Task WatchScores(
            WatchScoresRequest request, IServerStreamWriter<WatchScoresResponse> responseStream, ServerCallContext context)
        {
            await responseStream.WriteAsync(new()
            {
                Score = new() { LeadId = context.Caller().WorkspaceId.ToString() },
                ResumeToken = $"{request.ResumeToken}+1",
            });
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
        }
    }

    private sealed class Metrics : MetricsService.MetricsServiceBase
    {
        /// <summary>Every point is worth the month of its start; one metric has no denominator in February.</summary>
        public override Task<QueryMetricsResponse> QueryMetrics(QueryMetricsRequest request, ServerCallContext context)
        {
            if (request.GroupBy == "colour")
            {
                throw RpcErrors.ToException(Error.Invalid("groupBy", "colour is no dimension; known: channel."));
            }

            var period = ReportPeriod.Create(request.From, request.To, request.Granularity.ToKernel(), context.Caller().TimeZone).OrThrow();
            var response = new QueryMetricsResponse();
            foreach (var (metric,
                kind) in new[] { ("leads", MetricKind.Outcome), ("sessions", MetricKind.Activity), ("cost_per_lead", MetricKind.Outcome) })
            {
                var series = new MetricSeries { Metric = metric, Kind = kind, Unit = "count" };
                series.Points.AddRange(period.Granules.Select(granule =>
                {
                    var point = new MetricPoint { Start = ScorecardJudge.Text(granule.Start) };
                    if (metric != "cost_per_lead" || granule.Start.Month != 2)
                    {
                        point.Value = granule.Start.Month;
                    }

                    return point;
                }));
                response.Series.Add(series);
            }

            return Task.FromResult(response);
        }
    }
}
