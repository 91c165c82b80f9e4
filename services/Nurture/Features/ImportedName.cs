using Lifecycle.Kernel;
using Lifecycle.Nurture.Storage;
using Lifecycle.Rpc;

namespace Lifecycle.Nurture.Features;

/// <summary>How a row of a file names a lead: by <c>leadId</c>, else <c>email</c>, else <c>externalId</c>.</summary>
internal static class ImportedName
{
    public const string Unknown = "No lead is known by this name.";

    public static Result<LeadName> Read(ImportRow row)
    {
        if (row.Error is { } fault)
        {
            return Error.Invalid("row", fault);
        }

        if (row["leadId"] is { } text)
        {
            return Guid.TryParse(text, out var id) ? new LeadName(id, null, null) : Error.Invalid("leadId", "leadId is no id.");
        }

        return row["email"] is null && row["externalId"] is null
            ? Error.Invalid("row", "leadId, email or externalId is required.")
            : new LeadName(null, row["email"], row["externalId"]);
    }
}
