Console.WriteLine("DemoCompany");
