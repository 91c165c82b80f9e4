using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Rpc;
using ProtoStage = Lifecycle.Common.V1.Stage;

namespace Lifecycle.Nurture.Features;

/// <summary>What requests of several features have in common.</summary>
internal static class Requests
{
    /// <summary>A required id; INVALID_ARGUMENT otherwise.</summary>
    public static Guid Id(string text, string field = "id")
    {
        var violations = new Violations();
        violations.RequireId(text, field, out var id);
        violations.OrThrow();
        return id;
    }

    /// <summary>Adds one more parameter.</summary>
    public static DynamicParameters With(this DynamicParameters parameters, string name, object value)
    {
        parameters.Add(name, value);
        return parameters;
    }

    /// <summary>Stage by its stored name; unspecified where none is known.</summary>
    public static ProtoStage ToStage(string? name) =>
        StageNames.TryParse(name, out var stage) ? (ProtoStage)(int)stage : ProtoStage.Unspecified;
}
