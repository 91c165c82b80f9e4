using Dapper;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Features.ManagePrograms;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;
using PolicyMessage = Lifecycle.Nurture.V1.SendingPolicy;
using PolicyRules = Lifecycle.Nurture.Domain.Programs.SendingPolicy;

namespace Lifecycle.Nurture.Features.ManageSendingPolicy;

/// <summary>Quiet hours and caps over gRPC and REST.</summary>
internal sealed class SendingPolicyGrpcService(UnitOfWork<NurtureDbContext> unitOfWork) : SendingPolicyService.SendingPolicyServiceBase
{
    public override async Task<PolicyMessage> GetSendingPolicy(GetSendingPolicyRequest request, ServerCallContext context)
    {
        var row = await unitOfWork.Read(
            context.Caller().WorkspaceId,
            tx => tx.Db.SendingPolicies.FirstOrDefaultAsync(policy => policy.WorkspaceId == tx.WorkspaceId, tx.CancellationToken),
            context.CancellationToken);
        return row is null ? ToProto(PolicyRules.None, null) : ToProto(ProgramStore.ParsePolicy(row.Policy), row.UpdateTime);
    }

    public override async Task<PolicyMessage> UpdateSendingPolicy(UpdateSendingPolicyRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        var policy = new PolicyRules(
            Time(request.QuietFrom, "quietFrom", violations),
            Time(request.QuietTo, "quietTo", violations),
            [.. request.Caps.Select(cap => new FrequencyCap(cap.Count, cap.Window?.ToTimeSpan() ?? TimeSpan.Zero))],
            request.OnCap == PolicyMessage.Types.CapAction.Skip ? CapAction.Skip : CapAction.Delay);
        policy.Check(violations);
        violations.OrThrow();
        return (await unitOfWork.RunIdempotent<PolicyMessage>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request, async tx =>
            {
                await tx.Connection.ExecuteAsync(new CommandDefinition(
                """
                insert into sending_policy (workspace_id, policy, update_time) values (@workspace, @json::jsonb, @now)
                on conflict (workspace_id) do update set policy = excluded.policy, update_time = excluded.update_time
                """,
                new { workspace = tx.WorkspaceId, json = ProgramStore.ToJson(policy), now = tx.Now },
                cancellationToken: tx.CancellationToken));
                return ToProto(policy, tx.Now);
            }, context.CancellationToken)).OrThrow();
    }

    private static TimeOnly? Time(string text, string field, Violations violations) =>
        text.Length == 0 ? null : StepMessages.Time(text, null, field, violations);

    private static PolicyMessage ToProto(PolicyRules policy, DateTimeOffset? updateTime) => new()
    {
        QuietFrom = policy.QuietFrom is { } from ? StepMessages.Text(from) : "",
        QuietTo = policy.QuietTo is { } to ? StepMessages.Text(to) : "",
        Caps = { policy.Caps.Select(cap => new PolicyMessage.Types.Cap { Count = cap.Count, Window = cap.Window.ToDuration() }) },
        OnCap = (PolicyMessage.Types.CapAction)(int)policy.OnCap,
        UpdateTime = updateTime?.ToTimestamp(),
    };
}
