using Google.Protobuf.WellKnownTypes;
using Lifecycle.Kernel;
using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using ProgramMessage = Lifecycle.Nurture.V1.Program;
using ProtoStage = Lifecycle.Common.V1.Stage;

namespace Lifecycle.Nurture.Features.ManagePrograms;

/// <summary>Checks and changes of programs.</summary>
internal static class ProgramWriter
{
    private static readonly string[] Clearable = ["exitOnStages", "goalStage"];

    /// <summary>The path that a new program asks for.</summary>
    public static ProgramPath NewPath(CreateProgramRequest request, Violations violations)
    {
        violations.RequireText(request.DisplayName, "displayName");
        var path = new ProgramPath(
            PathMessages.Triggers(request.EntryTriggers, violations),
            StepMessages.Read(request.Steps, violations),
            PathMessages.Stages(request.ExitOnStages, "exitOnStages", violations),
            PathMessages.Goal(request.GoalStage, violations),
            ToRule(request.Reentry))
        {
            ReentryKey = request.ReentryKey.Length == 0 ? null : request.ReentryKey,
            IsTransactional = request.Transactional,
            HoldOutPercent = HoldOutShare(request.HoldOutPercent, violations),
        };
        Check(path, violations);
        return path;
    }

    /// <summary>The path that an update leaves.</summary>
    public static ProgramPath ChangedPath(ProgramPath path, UpdateProgramRequest request, Violations violations)
    {
        if (request.HasDisplayName)
        {
            violations.RequireText(request.DisplayName, "displayName");
        }

        foreach (var unknown in request.Clear.Except(Clearable))
        {
            violations.Add("clear", $"clear takes {string.Join(" and ", Clearable)}, not {unknown}.");
        }

        var changed = path with
        {
            EntryTriggers = request.EntryTriggers.Count == 0
                ? path.EntryTriggers : PathMessages.Triggers(request.EntryTriggers, violations),
            Steps = request.Steps.Count == 0 ? path.Steps : StepMessages.Read(request.Steps, violations),
            ExitOnStages = request.Clear.Contains("exitOnStages") ? []
                : request.ExitOnStages.Count == 0 ? path.ExitOnStages
                : PathMessages.Stages(request.ExitOnStages, "exitOnStages", violations),
            GoalStage = request.Clear.Contains("goalStage") ? null
                : request.HasGoalStage ? PathMessages.Goal(request.GoalStage, violations)
                : path.GoalStage,
            Reentry = request.HasReentry ? ToRule(request.Reentry) : path.Reentry,
            ReentryKey = !request.HasReentryKey ? path.ReentryKey : request.ReentryKey.Length == 0 ? null : request.ReentryKey,
            IsTransactional = request.HasTransactional ? request.Transactional : path.IsTransactional,
            HoldOutPercent = request.HasHoldOutPercent ? HoldOutShare(request.HoldOutPercent, violations) : path.HoldOutPercent,
        };
        if (TouchesPath(request))
        {
            Check(changed, violations);
        }

        return changed;
    }

    /// <summary>Whether an update asks for more than another name.</summary>
    public static bool TouchesPath(UpdateProgramRequest request) =>
        request.EntryTriggers.Count + request.Steps.Count + request.ExitOnStages.Count + request.Clear.Count > 0 || request.HasGoalStage
            || request.HasReentry || request.HasReentryKey || request.HasTransactional || request.HasHoldOutPercent;

    /// <summary>
    /// Names templates and segments that are not there. What is there stays until the transaction ends, as far as it is a segment.
    /// </summary>
    public static async Task<Error?> MissingReferences(Transaction<NurtureDbContext> tx, ProgramPath path)
    {
        await ProgramSegments.Hold(tx, path);
        var violations = new Violations();
        var emailIds = path.Steps.OfType<SendEmailStep>().Select(step => step.EmailId).Distinct().ToList();
        var emails = await tx.Db.Emails.Where(email => email.WorkspaceId == tx.WorkspaceId && emailIds.Contains(email.Id))
            .Select(email => email.Id).ToListAsync(tx.CancellationToken);
        for (var index = 0; index < path.Steps.Count; index++)
        {
            if (path.Steps[index] is SendEmailStep send && !emails.Contains(send.EmailId))
            {
                violations.Add($"steps[{index}].sendEmail.emailId", $"Email {send.EmailId} does not exist in this workspace.");
            }
        }

        var segmentIds = path.EntryTriggers.OfType<SegmentEnteredTrigger>().Select(trigger => trigger.SegmentId).Distinct().ToList();
        var segments = await tx.Db.Segments.Where(segment => segment.WorkspaceId == tx.WorkspaceId && segmentIds.Contains(segment.Id))
            .Select(segment => segment.Id).ToListAsync(tx.CancellationToken);
        for (var index = 0; index < path.EntryTriggers.Count; index++)
        {
            if (path.EntryTriggers[index] is SegmentEnteredTrigger entered && !segments.Contains(entered.SegmentId))
            {
                violations.Add(
                    $"entryTriggers[{index}].segmentEntered.segmentId", $"Segment {entered.SegmentId} does not exist in this workspace.");
            }
        }

        await MissingAskedSegments(tx, path, violations);
        await MissingLists(tx, path, violations);
        await MissingEndpoints(tx, path, violations);
        return violations.ToError();
    }

    private static async Task MissingAskedSegments(Transaction<NurtureDbContext> tx, ProgramPath path, Violations violations)
    {
        var asked = path.Steps
            .Select((step, index) => step is BranchStep branch
                && Condition.Parse(branch.Condition, LeadFacts.SegmentCatalog).TryGet(out var read, out _)
                ? (Index: index, read.Segments) : (Index: index, Segments: new HashSet<Guid>()))
            .Where(step => step.Segments.Count > 0).ToList();
        if (asked.Count == 0)
        {
            return;
        }

        var ids = asked.SelectMany(step => step.Segments).Distinct().ToList();
        var there = await tx.Db.Segments.Where(row => row.WorkspaceId == tx.WorkspaceId && ids.Contains(row.Id))
            .Select(row => row.Id).ToListAsync(tx.CancellationToken);
        foreach (var (index, segments) in asked)
        {
            foreach (var missing in segments.Except(there))
            {
                violations.Add($"steps[{index}].branch.condition", $"Segment {missing} does not exist in this workspace.");
            }
        }
    }

    private static async Task MissingLists(Transaction<NurtureDbContext> tx, ProgramPath path, Violations violations)
    {
        var ids = path.Steps.OfType<UpdateListStep>().Select(step => step.SegmentId).Distinct().ToList();
        if (ids.Count == 0)
        {
            return;
        }

        var lists = await tx.Db.Segments.Where(row => row.WorkspaceId == tx.WorkspaceId && ids.Contains(row.Id) && row.IsList)
            .Select(row => row.Id).ToListAsync(tx.CancellationToken);
        for (var index = 0; index < path.Steps.Count; index++)
        {
            if (path.Steps[index] is UpdateListStep step && !lists.Contains(step.SegmentId))
            {
                violations.Add($"steps[{index}].updateList.segmentId", $"No static list {step.SegmentId} exists in this workspace.");
            }
        }
    }

    private static async Task MissingEndpoints(Transaction<NurtureDbContext> tx, ProgramPath path, Violations violations)
    {
        var ids = path.Steps.OfType<NotifyStep>().Select(step => step.EndpointId).Distinct().ToList();
        if (ids.Count == 0)
        {
            return;
        }

        var endpoints = await tx.Db.NotifyEndpoints.Where(row => row.WorkspaceId == tx.WorkspaceId && ids.Contains(row.Id))
            .Select(row => row.Id).ToListAsync(tx.CancellationToken);
        for (var index = 0; index < path.Steps.Count; index++)
        {
            if (path.Steps[index] is NotifyStep notify && !endpoints.Contains(notify.EndpointId))
            {
                violations.Add($"steps[{index}].notify.endpointId", $"Endpoint {notify.EndpointId} does not exist in this workspace.");
            }
        }
    }

    /// <summary>The program's row, locked and tracked.</summary>
    public static async Task<Result<ProgramRow>> Lock(Transaction<NurtureDbContext> tx, Guid id) => (await tx.Db.Programs.FromSqlRaw(
        "select * from program where workspace_id = @workspace and id = @id for update",
        new NpgsqlParameter("workspace", tx.WorkspaceId),
        new NpgsqlParameter("id", id)).ToListAsync(tx.CancellationToken)) is [var row]
        ? row
        : Error.NotFound("Program", id);

    public static async Task<Result<ProgramRow>> Find(Transaction<NurtureDbContext> tx, Guid id) =>
        await tx.Db.Programs.FirstOrDefaultAsync(
            program => program.WorkspaceId == tx.WorkspaceId && program.Id == id, tx.CancellationToken) is { } row
            ? row
            : Error.NotFound("Program", id);

    public static ProgramMessage ToProto(ProgramRow row)
    {
        var path = ProgramStore.Parse(row.Path);
        return new()
        {
            Id = row.Id.ToString(),
            DisplayName = row.DisplayName,
            State = System.Enum.Parse<ProgramMessage.Types.State>(row.State, ignoreCase: true),
            EntryTriggers = { path.EntryTriggers.Select(PathMessages.ToProto) },
            Steps = { path.Steps.Select(StepMessages.ToProto) },
            ExitOnStages = { path.ExitOnStages.Select(stage => (ProtoStage)(int)stage) },
            GoalStage = (ProtoStage)(int)(path.GoalStage ?? 0),
            Reentry = (ProgramMessage.Types.Reentry)(int)path.Reentry,
            ReentryKey = path.ReentryKey ?? "",
            Transactional = path.IsTransactional,
            Version = row.Version,
            HoldOutPercent = path.HoldOutPercent,
            CreateTime = row.CreateTime.ToTimestamp(),
            UpdateTime = row.UpdateTime.ToTimestamp(),
        };
    }

    private static int HoldOutShare(int percent, Violations violations)
    {
        violations.Require(
            percent is >= 0 and <= HoldOut.MaxPercent, "holdOutPercent", $"holdOutPercent lies between 0 and {HoldOut.MaxPercent}.");
        return percent;
    }

    /// <summary>The path of a version that others may go by, kept as it is.</summary>
    public static void Keep(Transaction<NurtureDbContext> tx, ProgramRow row) => tx.Db.Set<ProgramVersionRow>().Add(new()
    {
        WorkspaceId = tx.WorkspaceId,
        ProgramId = row.Id,
        Version = row.Version,
        Path = row.Path,
        CreateTime = tx.Now,
    });

    private static Reentry ToRule(ProgramMessage.Types.Reentry message) =>
        message == ProgramMessage.Types.Reentry.Unspecified ? Reentry.Never : (Reentry)(int)message;

    private static void Check(ProgramPath path, Violations violations) => path.Check(
        violations, ConditionFault, text => Condition.Parse(text, ActivityFacts.Catalog).Error?.Violations[0].Message);

    private static string? ConditionFault(string text) => Condition.Parse(text, LeadFacts.SegmentCatalog).Error?.Violations[0].Message;
}
