using Google.Protobuf.WellKnownTypes;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Programs;
using EntryTriggerRule = Lifecycle.Nurture.Domain.Programs.EntryTrigger;
using ProtoStage = Lifecycle.Common.V1.Stage;

namespace Lifecycle.Nurture.Features.ManagePrograms;

/// <summary>A program's path between the messages and the domain.</summary>
internal static class PathMessages
{
    private static readonly string[] CaptureTypes = ["FORM", "CALL", "CHAT", "IMPORT", "API", "IDENTIFY"];

    public static IReadOnlyList<EntryTriggerRule> Triggers(IReadOnlyList<V1.EntryTrigger> messages, Violations violations)
    {
        var triggers = new List<EntryTriggerRule>();
        for (var index = 0; index < messages.Count; index++)
        {
            var field = $"entryTriggers[{index}]";
            triggers.Add(messages[index].TriggerCase switch
            {
                V1.EntryTrigger.TriggerOneofCase.LeadCaptured =>
                    Captured(messages[index].LeadCaptured, field + ".leadCaptured", violations),
                V1.EntryTrigger.TriggerOneofCase.StageChanged => Moved(messages[index].StageChanged, field + ".stageChanged", violations),
                V1.EntryTrigger.TriggerOneofCase.SegmentEntered =>
                    Entered(messages[index].SegmentEntered, field + ".segmentEntered", violations),
                V1.EntryTrigger.TriggerOneofCase.Event => Did(messages[index].Event, field + ".event", violations),
                V1.EntryTrigger.TriggerOneofCase.FormSubmitted => Form(messages[index].FormSubmitted, field + ".formSubmitted", violations),
                V1.EntryTrigger.TriggerOneofCase.ScoreReached => Score(messages[index].ScoreReached, field + ".scoreReached", violations),
                V1.EntryTrigger.TriggerOneofCase.Manual => new ManualTrigger(),
                _ => Missing(field, violations),
            });
        }

        return triggers;
    }

    /// <summary>Stages a lead can be at.</summary>
    public static IReadOnlyList<Stage> Stages(IEnumerable<ProtoStage> messages, string field, Violations violations)
    {
        var stages = messages.Select(stage => (Stage)(int)stage).Distinct().ToList();
        violations.Require(stages.TrueForAll(stage => stage > Stage.Visitor), field, $"{field} takes stages from LEAD on.");
        return stages;
    }

    /// <summary>The goal; null where none is given.</summary>
    public static Stage? Goal(ProtoStage message, Violations violations) =>
        message == ProtoStage.Unspecified ? null : Stages([message], "goalStage", violations)[0];

    public static V1.EntryTrigger ToProto(EntryTriggerRule trigger) => trigger switch
    {
        LeadCapturedTrigger captured => new()
        {
            LeadCaptured = new() { CaptureTypes = { captured.CaptureTypes }, MaxAge = captured.MaxAge.ToDuration() },
        },
        StageChangedTrigger moved => new()
        {
            StageChanged = new() { To = (ProtoStage)(int)moved.To, Reason = moved.Reason ?? "", MaxAge = moved.MaxAge.ToDuration() },
        },
        SegmentEnteredTrigger entered => new() { SegmentEntered = new() { SegmentId = entered.SegmentId.ToString() } },
        EventTrigger did => new()
        {
            Event = new() { Name = did.EventName, MaxAge = did.MaxAge.ToDuration(), Condition = did.Condition ?? "" },
        },
        FormTrigger form => new()
        {
            FormSubmitted = new() { FormType = form.FormType ?? "", FormId = form.FormId ?? "", MaxAge = form.MaxAge.ToDuration() },
        },
        ScoreTrigger score => new() { ScoreReached = ToProto(score) },
        _ => new() { Manual = new() },
    };

    private static LeadCapturedTrigger Captured(V1.EntryTrigger.Types.LeadCaptured message, string field, Violations violations)
    {
        foreach (var unknown in message.CaptureTypes.Except(CaptureTypes))
        {
            violations.Add($"{field}.captureTypes", $"{field}.captureTypes has no {unknown}; it takes {string.Join(", ", CaptureTypes)}.");
        }

        return new(message.CaptureTypes.Distinct().ToArray(), MaxAge(message.MaxAge, field, violations));
    }

    private static StageChangedTrigger Moved(V1.EntryTrigger.Types.StageChanged message, string field, Violations violations)
    {
        Stages([message.To], $"{field}.to", violations);
        violations.Require(message.Reason.Length <= 100, $"{field}.reason", $"{field}.reason has at most 100 characters.");
        return new((Stage)(int)message.To, message.Reason.Length == 0 ? null : message.Reason, MaxAge(message.MaxAge, field, violations));
    }

    private static SegmentEnteredTrigger Entered(V1.EntryTrigger.Types.SegmentEntered message, string field, Violations violations)
    {
        violations.RequireId(message.SegmentId, $"{field}.segmentId", out var id);
        return new(id);
    }

    private static EventTrigger Did(V1.EntryTrigger.Types.Event message, string field, Violations violations)
    {
        violations.RequireText(message.Name, $"{field}.name");
        return new(message.Name, MaxAge(message.MaxAge, field, violations))
        {
            Condition = message.Condition.Length == 0 ? null : message.Condition,
        };
    }

    private static FormTrigger Form(V1.EntryTrigger.Types.FormSubmitted message, string field, Violations violations)
    {
        violations.Require(message.FormType.Length <= 200, $"{field}.formType", $"{field}.formType has at most 200 characters.");
        violations.Require(message.FormId.Length <= 200, $"{field}.formId", $"{field}.formId has at most 200 characters.");
        return new(
            message.FormType.Length == 0 ? null : message.FormType, message.FormId.Length == 0 ? null : message.FormId,
            MaxAge(message.MaxAge, field, violations));
    }

    private static ScoreTrigger Score(V1.EntryTrigger.Types.ScoreReached message, string field, Violations violations)
    {
        violations.Require(message.HasMin || message.Band.Length > 0, field, $"{field} needs min, band or both.");
        violations.Require(
            !message.HasMin || Math.Abs(message.Min) <= 1_000_000, $"{field}.min", $"{field}.min must be -1000000 to 1000000.");
        return new(
            message.HasMin && Math.Abs(message.Min) <= 1_000_000 ? (decimal)message.Min : null,
            message.Band.Length == 0 ? null : message.Band);
    }

    private static V1.EntryTrigger.Types.ScoreReached ToProto(ScoreTrigger score)
    {
        var message = new V1.EntryTrigger.Types.ScoreReached { Band = score.Band ?? "" };
        if (score.Min is { } min)
        {
            message.Min = (double)min;
        }

        return message;
    }

    private static ManualTrigger Missing(string field, Violations violations)
    {
        violations.Add(
            field, $"{field} needs exactly one of leadCaptured, stageChanged, segmentEntered, event, formSubmitted, scoreReached, manual.");
        return new();
    }

    private static TimeSpan MaxAge(Duration? duration, string field, Violations violations)
    {
        var age = duration?.ToTimeSpan() ?? EntryTriggerRule.DefaultMaxAge;
        violations.Require(
            age > TimeSpan.Zero && age <= TimeSpan.FromDays(3660),
            $"{field}.maxAge",
            $"{field}.maxAge must be more than 0s and at most ten years.");
        return age;
    }
}
