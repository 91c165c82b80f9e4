Console.WriteLine("StageChangeSubscriber");
