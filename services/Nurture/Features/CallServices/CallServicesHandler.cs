using Dapper;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.ClientFactory;
using Lifecycle.Capture.V1;
using Lifecycle.Conversion.V1;
using Lifecycle.Nurture.Jobs;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.Extensions.Options;

namespace Lifecycle.Nurture.Features.CallServices;

/// <summary>Makes the calls that steps have asked for, each until it is answered, outside of any transaction.</summary>
internal sealed partial class CallServicesHandler(
    UnitOfWork<NurtureDbContext> unitOfWork,
    GrpcClientFactory clients,
    RpcCalls calls,
    IOptions<NurtureOptions> options,
    ILogger<CallServicesHandler> logger) : ICallWork
{
    private const int Concurrency = 8;
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(10);

    public async Task<bool> RunBatch(Guid workspaceId, CancellationToken ct)
    {
        IReadOnlyList<ProgramCallRow> due = [];
        await unitOfWork.Run(workspaceId, async tx => due = await Claim(tx), ct);
        await Parallel.ForEachAsync(
            due, new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = ct },
            async (call, token) => await Make(workspaceId, call, token));
        return due.Count >= options.Value.BatchSize;
    }

    /// <summary>A claim holds for a lease: a call whose worker died falls due again.</summary>
    private async Task<IReadOnlyList<ProgramCallRow>> Claim(Transaction<NurtureDbContext> tx) =>
        (await tx.Connection.QueryAsync<ProgramCallRow>(new CommandDefinition(
            """
            update program_call c set attempts = attempts + 1, due_time = @lease
            from (
              select id from program_call where workspace_id = @workspace and state = 'PENDING' and due_time <= @now
              order by due_time limit @limit for update skip locked) due
            where c.workspace_id = @workspace and c.id = due.id returning c.*
            """,
            new { workspace = tx.WorkspaceId, now = tx.Now, lease = tx.Now + Lease, limit = options.Value.BatchSize },
            cancellationToken: tx.CancellationToken))).AsList();

    private async Task Make(Guid workspaceId, ProgramCallRow call, CancellationToken ct)
    {
        var (state, detail, pause) = (ProgramCallRow.Done, (string?)null, (TimeSpan?)null);
        try
        {
            await Ask(call, calls.As(Caller.Service("nurture", workspaceId), ct));
        }
        catch (RpcException fault)
            when (fault.StatusCode is StatusCode.NotFound or StatusCode.InvalidArgument or StatusCode.FailedPrecondition
                or StatusCode.AlreadyExists or StatusCode.PermissionDenied)
        {
            (state, detail) = (ProgramCallRow.Refused, fault.Status.Detail);
            LogRefused(call.Id, call.Kind, call.StepId, fault.Status.Detail);
        }
        catch (RpcException fault) when (!ct.IsCancellationRequested)
        {
            pause = TimeSpan.FromSeconds(Math.Min(Math.Pow(2, Math.Min(call.Attempts, 12)) / 2, LongestRetry.TotalSeconds));
            (state, detail) = (ProgramCallRow.Pending, fault.Status.Detail);
            LogPutOff(call.Id, call.Kind, call.Attempts, fault.Status.Detail);
        }

        await unitOfWork.Run(workspaceId, tx => tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update program_call set state = @state, detail = @detail, due_time = @due,
              value = case when @state = 'PENDING' then value end
            where workspace_id = @workspace and id = @id and state = 'PENDING'
            """,
            new { workspace = workspaceId, id = call.Id, state, detail, due = pause is { } wait ? tx.Now + wait : (DateTimeOffset?)null },
            cancellationToken: tx.CancellationToken)), CancellationToken.None);
    }

    private async Task Ask(ProgramCallRow call, CallOptions callOptions)
    {
        if (call.Kind == ProgramCallRow.HandToSales)
        {
            await Client<StageService.StageServiceClient>().MoveLeadStageAsync(
                new MoveLeadStageRequest
                {
                    RequestId = call.Id.ToString(),
                    LeadId = call.LeadId.ToString(),
                    To = Common.V1.Stage.Mql,
                    Note = call.Value ?? "",
                },
                callOptions);
            return;
        }

        var traits = new Struct { Fields = { [call.Trait!] = call.Value is { } value ? Value.ForString(value) : Value.ForNull() } };
        await Client<LeadService.LeadServiceClient>().UpdateLeadAsync(
            new UpdateLeadRequest { RequestId = call.Id.ToString(), Id = call.LeadId.ToString(), Traits = traits }, callOptions);
    }

    private TClient Client<TClient>()
        where TClient : ClientBase => clients.CreateClient<TClient>(typeof(TClient).Name);

    [LoggerMessage(4121, LogLevel.Warning, "Call {CallId} ({Kind}) of step {StepId} was refused: {Reason}")]
    private partial void LogRefused(Guid callId, string kind, string stepId, string reason);

    [LoggerMessage(4122, LogLevel.Information, "Call {CallId} ({Kind}) is tried again after attempt {Attempt}: {Reason}")]
    private partial void LogPutOff(Guid callId, string kind, int attempt, string reason);
}
