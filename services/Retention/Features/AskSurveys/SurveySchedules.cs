using Lifecycle.Kernel;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;

namespace Lifecycle.Retention.Features.AskSurveys;

/// <summary>Schedules between messages and rows.</summary>
internal static class SurveySchedules
{
    private const int MaxDays = 3650;

    public static void Check(Violations violations, SurveySchedule? schedule, int closeLoopHours)
    {
        violations.Require(closeLoopHours is >= 0 and <= 8760, "closeLoopHours", "closeLoopHours must be 1 to 8760, or 0 for 48.");
        if (schedule is null)
        {
            return;
        }

        violations.Require(
            !schedule.HasAfterOnboardingDays || schedule.AfterOnboardingDays is >= 0 and <= MaxDays,
            "schedule.afterOnboardingDays", $"afterOnboardingDays must be 0 to {MaxDays}.");
        violations.Require(
            !schedule.HasSampleShare || schedule.SampleShare is > 0 and <= 1, "schedule.sampleShare",
            "sampleShare must be above 0 and at most 1.");
        violations.Require(
            !schedule.HasFatigueDays || schedule.FatigueDays is >= 0 and <= MaxDays, "schedule.fatigueDays",
            $"fatigueDays must be 0 to {MaxDays}.");
        violations.LimitText(schedule.SupportEvent, "schedule.supportEvent");
        if (schedule.EmailId.Length > 0)
        {
            violations.RequireId(schedule.EmailId, "schedule.emailId", out _);
        }

        violations.Require(
            !schedule.Active || schedule.HasAfterOnboardingDays || schedule.Quarterly || schedule.SupportEvent.Length > 0,
            "schedule.active", "An active schedule needs afterOnboardingDays, quarterly or supportEvent.");
    }

    public static void Take(SurveyRow row, SurveySchedule schedule)
    {
        row.Asks = schedule.Active;
        row.AfterOnboardingDays = schedule.HasAfterOnboardingDays ? schedule.AfterOnboardingDays : null;
        row.Quarterly = schedule.Quarterly;
        row.SupportEvent = schedule.SupportEvent.Trim();
        row.SampleShare = schedule.HasSampleShare ? schedule.SampleShare : 1;
        row.SampleSeed = schedule.SampleSeed;
        row.FatigueDays = schedule.HasFatigueDays ? schedule.FatigueDays : 30;
        row.EmailId = schedule.EmailId.Length > 0 ? Guid.Parse(schedule.EmailId) : null;
    }

    public static SurveySchedule? ToProto(SurveyRow row)
    {
        if (!row.Asks && row.AfterOnboardingDays is null && !row.Quarterly && row.SupportEvent.Length == 0)
        {
            return null;
        }

        var schedule = new SurveySchedule
        {
            Active = row.Asks,
            Quarterly = row.Quarterly,
            SupportEvent = row.SupportEvent,
            SampleShare = row.SampleShare,
            SampleSeed = row.SampleSeed,
            FatigueDays = row.FatigueDays,
            EmailId = row.EmailId?.ToString() ?? "",
        };
        if (row.AfterOnboardingDays is { } days)
        {
            schedule.AfterOnboardingDays = days;
        }

        return schedule;
    }
}
